/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api: JSON over HTTP. What admin/ can do is one route each: route.c has the table, api_call
 * carries request and answer, admin/ judges and does. Described by docs/openapi.yaml.
 *
 * Every error below /api/ reads {"error":{"kind","text","fields","request_id"}}: kind is a stable
 * word, text is for people, fields are there when members of the body are to blame.
 */
#ifndef WEB_API_H
#define WEB_API_H

#include "admin/admin.h"
#include "web/app.h"

/* What a route of api_call points to. */
struct api_op {
    admin_op_fn *run;
    bool bound; /* it sends this browser somewhere, and wants to know it again */
};

/* Sends and frees it. */
void api_send(struct request *rq, int status, struct jval *take);
void api_error(struct request *rq, int status, const char *kind, const char *text);
/* The status that goes with an error of admin/; `if_match`: the request had one. */
int api_status(enum err_kind kind, bool if_match);

#endif
