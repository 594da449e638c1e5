/* SPDX-License-Identifier: Apache-2.0 */
/* The whole surface on one screen. The session check comes first: it is asked for most. */
#include "web/app.h"

#define FORM_MAX (16u * 1024)

const struct route web_routes[] = {
    {"GET", "/auth", forward_check, ROUTE_ANY_HOST | ROUTE_QUIET, 0},
    {"GET", "/", home_page, 0, 0},
    {"GET", "/login", signin_chooser, 0, 0},
    {"GET", "/login/*", signin_start, 0, 0},
    {"GET", "/callback/*", signin_callback, 0, 0},
    {"POST", "/callback/*", signin_repost, 0, FORM_MAX},
    {"GET", "/logout", signout_page, 0, 0},
    {"POST", "/logout", signout_post, 0, FORM_MAX},
    {"GET", "/api/v1/me", home_me, 0, 0},
    {"GET", "/assets/*", asset_get, ROUTE_QUIET, 0},
    {"GET", "/favicon.ico", asset_get, ROUTE_QUIET, 0},
    {"GET", "/healthz", ops_health, ROUTE_ANY_HOST | ROUTE_QUIET, 0},
    {"GET", "/readyz", ops_ready, ROUTE_ANY_HOST | ROUTE_QUIET, 0},
    {"GET", "/metrics", ops_metrics, ROUTE_ANY_HOST | ROUTE_QUIET, 0},
};
const size_t web_routes_n = sizeof web_routes / sizeof *web_routes;
