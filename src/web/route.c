/* SPDX-License-Identifier: Apache-2.0 */
/* The whole surface on one screen. The session check comes first: it is asked for most. */
#include "web/api.h"

#define FORM_MAX (16u * 1024)
#define JSON_MAX (64u * 1024)

/* What admin/ does, here and on the admin socket: docs/openapi.yaml. */
#define DO(fn) (&(const struct api_op){fn, false})
#define OP(fn) api_call, ROUTE_ADMIN, 0, DO(fn)
#define OP_JSON(fn) api_call, ROUTE_ADMIN | ROUTE_JSON, JSON_MAX, DO(fn)
#define OP_BOUND(fn)                                                                               \
    api_call, ROUTE_ADMIN | ROUTE_JSON, JSON_MAX, (&(const struct api_op){fn, true})
#define OP_LOCAL(fn) api_call, ROUTE_LOCAL | ROUTE_JSON, JSON_MAX, DO(fn)

const struct route web_routes[] = {
    {"GET", "/auth", forward_check, ROUTE_ANY_HOST | ROUTE_QUIET, 0, NULL},
    {"GET", "/", home_page, 0, 0, NULL},
    {"GET", "/login", signin_chooser, 0, 0, NULL},
    {"GET", "/login/*", signin_start, ROUTE_SLOW, 0, NULL},
    {"GET", "/callback/*", signin_callback, ROUTE_SLOW, 0, NULL},
    {"POST", "/callback/*", signin_repost, ROUTE_SLOW, FORM_MAX, NULL},
    {"GET", "/logout", signout_page, 0, 0, NULL},
    {"POST", "/logout", signout_post, 0, FORM_MAX, NULL},
    {"GET", "/api/v1/me", home_me, 0, 0, NULL},
    {"GET", "/admin", admin_page_overview, 0, 0, NULL},
    {"GET", "/admin/providers", admin_page_providers, 0, 0, NULL},
    {"GET", "/admin/add", admin_page_services, 0, 0, NULL},
    {"GET", "/admin/add/*", admin_page_add, 0, 0, NULL},
    {"POST", "/admin/add/*", admin_page_add, 0, FORM_MAX, NULL},
    {"GET", "/admin/providers/*", admin_page_provider, 0, 0, NULL},
    {"GET", "/admin/providers/*/settings", admin_page_settings, 0, 0, NULL},
    {"POST", "/admin/providers/*/settings", admin_page_settings, 0, FORM_MAX, NULL},
    {"GET", "/admin/providers/*/delete", admin_page_delete, 0, 0, NULL},
    {"POST", "/admin/providers/*/delete", admin_page_delete, 0, FORM_MAX, NULL},
    {"POST", "/admin/providers/*/enable", admin_page_enable, 0, FORM_MAX, NULL},
    {"POST", "/admin/providers/*/disable", admin_page_disable, 0, FORM_MAX, NULL},
    {"POST", "/admin/providers/*/rotate", admin_page_rotate, 0, FORM_MAX, NULL},
    {"POST", "/admin/providers/*/promote", admin_page_promote, 0, FORM_MAX, NULL},
    {"POST", "/admin/providers/*/drop", admin_page_drop, 0, FORM_MAX, NULL},
    {"POST", "/admin/providers/*/test", admin_page_test, 0, FORM_MAX, NULL},
    {"POST", "/admin/providers/*/rehearse", admin_page_rehearse, 0, FORM_MAX, NULL},
    {"GET", "/admin/rehearsals/*", admin_page_rehearsal, 0, 0, NULL},
    {"GET", "/admin/status", admin_page_status, 0, 0, NULL},
    {"POST", "/admin/status/reload", admin_page_reload, 0, FORM_MAX, NULL},
    {"POST", "/admin/status/rotate-key", admin_page_rotate_key, 0, FORM_MAX, NULL},
    {"GET", "/admin/people", admin_page_people, 0, 0, NULL},
    {"POST", "/admin/people", admin_page_people, 0, FORM_MAX, NULL},
    {"GET", "/admin/people/*/revoke", admin_page_revoke, 0, 0, NULL},
    {"POST", "/admin/people/*/revoke", admin_page_revoke, 0, FORM_MAX, NULL},
    {"GET", "/admin/tokens", admin_page_tokens, 0, 0, NULL},
    {"POST", "/admin/tokens", admin_page_tokens, 0, FORM_MAX, NULL},
    {"POST", "/admin/tokens/*/delete", admin_page_token_end, 0, FORM_MAX, NULL},
    {"GET", "/admin/audit", admin_page_audit, 0, 0, NULL},
    {"POST", "/admin/leave", admin_page_leave, 0, FORM_MAX, NULL},
    {"GET", "/admin/setup/*", admin_page_setup, ROUTE_SECRET, 0, NULL},
    {"POST", "/admin/setup/*", admin_page_setup_use, ROUTE_SECRET, FORM_MAX, NULL},
    {"GET", "/assets/*", asset_get, ROUTE_QUIET, 0, NULL},
    {"GET", "/favicon.ico", asset_get, ROUTE_QUIET, 0, NULL},
    {"GET", "/healthz", ops_health, ROUTE_ANY_HOST | ROUTE_QUIET | ROUTE_ADMIN, 0, NULL},
    {"GET", "/readyz", ops_ready, ROUTE_ANY_HOST | ROUTE_QUIET | ROUTE_ADMIN, 0, NULL},
    {"GET", "/metrics", ops_metrics, ROUTE_ANY_HOST | ROUTE_QUIET | ROUTE_ADMIN, 0, NULL},
    {"GET", "/api/v1/overview", OP(admin_overview)},
    {"GET", "/api/v1/status", OP(admin_status)},
    {"GET", "/api/v1/providers", OP(admin_provider_list)},
    {"POST", "/api/v1/providers", OP_JSON(admin_provider_add)},
    {"GET", "/api/v1/providers/*", OP(admin_provider_show)},
    {"PUT", "/api/v1/providers/*", OP_JSON(admin_provider_replace)},
    {"PATCH", "/api/v1/providers/*", OP_JSON(admin_provider_edit)},
    {"DELETE", "/api/v1/providers/*", OP_JSON(admin_provider_delete)},
    {"POST", "/api/v1/providers/*/rotate", OP_JSON(admin_secret_rotate)},
    {"POST", "/api/v1/providers/*/promote", OP_JSON(admin_secret_promote)},
    {"POST", "/api/v1/providers/*/drop", OP_JSON(admin_secret_drop)},
    {"POST", "/api/v1/providers/*/test", OP_JSON(admin_provider_test)},
    {"POST", "/api/v1/provider-tests", OP_JSON(admin_provider_test_draft)},
    {"POST", "/api/v1/providers/*/rehearsals", OP_BOUND(admin_provider_rehearse)},
    {"POST", "/api/v1/rehearsals", OP_BOUND(admin_provider_rehearse_draft)},
    {"GET", "/api/v1/rehearsals/*", OP(admin_rehearsal_show)},
    {"GET", "/api/v1/config/diff", OP(admin_config_diff)},
    {"POST", "/api/v1/config/reload", OP_JSON(admin_config_reload)},
    {"GET", "/api/v1/plugins", OP(admin_plugin_list)},
    {"GET", "/api/v1/plugins/*", OP(admin_plugin_show)},
    {"GET", "/api/v1/keys", OP(admin_key_list)},
    {"POST", "/api/v1/keys/rotate", OP_JSON(admin_key_rotate)},
    {"GET", "/api/v1/audit", OP(admin_audit_list)},
    {"GET", "/api/v1/tokens", OP(admin_token_list)},
    {"POST", "/api/v1/tokens", OP_JSON(admin_token_add)},
    {"DELETE", "/api/v1/tokens/*", OP_JSON(admin_token_delete)},
    {"GET", "/api/v1/roles", OP(admin_role_list)},
    {"PUT", "/api/v1/roles/admin/*", OP_JSON(admin_role_grant)},
    {"DELETE", "/api/v1/roles/admin/*", OP_JSON(admin_role_revoke)},
    {"POST", "/api/v1/setup-links", OP_LOCAL(admin_setup_link)},
};
const size_t web_routes_n = sizeof web_routes / sizeof *web_routes;
