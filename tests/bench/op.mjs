// SPDX-License-Identifier: Apache-2.0
// The peer: oidc-provider from npm with its memory adapter, as far as machines use it.
// node op.mjs PORT; says "ready". Clients: rs256, es256, opaque, person, with the secret "secret".
// GET /person answers with a fresh opaque token about somebody, as a person's sign-in would leave it.
import { createRequire } from "node:module";
import { generateKeyPairSync } from "node:crypto";
import path from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(path.join(import.meta.dirname, "../e2e/package.json"));
const { default: Provider } = await import(pathToFileURL(require.resolve("oidc-provider")));

const port = Number(process.argv[2]);
const jwk = (type, options, alg) => ({
  ...generateKeyPairSync(type, options).privateKey.export({ format: "jwk" }), alg, use: "sig", kid: alg,
});
const client = (client_id) => ({
  client_id, client_secret: "secret", grant_types: ["client_credentials"], redirect_uris: [], response_types: [],
});
// What usher says of its guest: the same claims, as long.
const ada = {
  sub: "AVDBDXEholY1zbcOMlSENg", name: "Ada Lovelace", preferred_username: "ada.lovelace",
  picture: "http://127.0.0.1:34239/oidc/a/ada", locale: "en-GB", updated_at: 1795277630,
  email: "ada.lovelace@gmail.com", email_verified: false,
};
const resource = (alg) => ({
  scope: "read", audience: `urn:${alg}`, accessTokenTTL: 1800,
  ...(alg === "opaque" ? { accessTokenFormat: "opaque" } : { accessTokenFormat: "jwt", jwt: { sign: { alg } } }),
});
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: ["rs256", "es256", "opaque", "person"].map(client),
  claims: {
    openid: ["sub"], profile: ["name", "preferred_username", "picture", "locale", "updated_at"],
    email: ["email", "email_verified"],
  },
  findAccount: (ctx, accountId) => ({ accountId, claims: () => ada }),
  jwks: { keys: [jwk("rsa", { modulusLength: 2048 }, "RS256"), jwk("ec", { namedCurve: "P-256" }, "ES256")] },
  scopes: ["openid", "read"],
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: (ctx, c) => `urn:${c.clientId}`,
      getResourceServerInfo: (ctx, indicator) => resource(indicator.slice(4).replace("rs256", "RS256").replace("es256", "ES256")),
    },
  },
});
const scope = "openid profile email";
async function personToken() {
  const accountId = ada.sub, clientId = "person";
  const grant = new provider.Grant({ accountId, clientId });
  grant.addOIDCScope(scope);
  const values = { accountId, scope, gty: "authorization_code", grantId: await grant.save() };
  return new provider.AccessToken({ ...values, client: await provider.Client.find(clientId) }).save();
}
provider.use(async (ctx, next) => {
  if (ctx.path !== "/person") return next();
  ctx.body = { access_token: await personToken() };
});
provider.listen(port, "127.0.0.1", () => console.log("ready"));
