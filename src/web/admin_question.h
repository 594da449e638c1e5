/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin_question: the page with one button, before what cannot be undone and where something was in
 * the way: then it says what, and has a box to tick. For the web's own files; loop thread only.
 */
#ifndef WEB_ADMIN_QUESTION_H
#define WEB_ADMIN_QUESTION_H

#include "web/admin_page.h"

/* Borrowed until the page is sent. */
struct admin_question {
    const char *question, *consequence;
    const char *verb, *action;    /* what the button says, and where its form goes */
    const char *back, *back_text; /* who would rather not */
    const struct jval *version;   /* of what it is about, as it was seen; NULL: it has none */
    bool ask_bar;                 /* whether an identity may come back is asked, too */
};
/* Ends the visit, with the errors that were kept. */
void admin_ask_back(struct admin_visit *v, const struct admin_question *q);
/* What the form said, as the body of an operation: {"force": true} or {}; the caller's. */
struct jval *admin_question_said(const struct admin_visit *v);

#endif
