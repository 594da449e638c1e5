/* SPDX-License-Identifier: Apache-2.0 */
/* The whole surface on one screen. The session check comes first: it is asked for most. */
#include "web/app.h"

#define FORM_MAX (16u * 1024)

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
    {"GET", "/assets/*", asset_get, ROUTE_QUIET, 0, NULL},
    {"GET", "/favicon.ico", asset_get, ROUTE_QUIET, 0, NULL},
    {"GET", "/healthz", ops_health, ROUTE_ANY_HOST | ROUTE_QUIET | ROUTE_ADMIN, 0, NULL},
    {"GET", "/readyz", ops_ready, ROUTE_ANY_HOST | ROUTE_QUIET | ROUTE_ADMIN, 0, NULL},
    {"GET", "/metrics", ops_metrics, ROUTE_ANY_HOST | ROUTE_QUIET | ROUTE_ADMIN, 0, NULL},
};
const size_t web_routes_n = sizeof web_routes / sizeof *web_routes;
