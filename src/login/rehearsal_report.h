/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rehearsal_report: what a rehearsal tells about who signed in and what would become of it. JSON
 * from verified identities; pure.
 */
#ifndef LOGIN_REHEARSAL_REPORT_H
#define LOGIN_REHEARSAL_REPORT_H

#include "app/apps.h"
#include "base/json.h"
#include "login/link.h"
#include "login/trial.h"

/* The caller's references. Secrets the trial saw are taken out. */
struct jval *rehearsal_identity(const struct trial *t, const struct drive_identity *id);
struct jval *rehearsal_evidence(uint32_t evidence); /* {"value","text"} */
/* What link_foresee said; the account's id is "" when there is none. */
struct jval *rehearsal_linking(enum link_outcome foreseen, const struct account *a);
struct jval *rehearsal_failure(const struct err *err);
/* What each app's rules say of who signed in, as a list. */
struct jval *rehearsal_rules(const struct apps *apps, const struct app_subject *s);
/* The requests, the browser's hop first; url NULL: it was not sent anywhere. */
struct jval *rehearsal_requests(const struct trial *t, const char *url, size_t before_hop);

#endif
