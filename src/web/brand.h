/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brand: how an app looks on pages about it: name, links, and for apps of one's own picture and
 * colour. An app of others (consent = yes, or
 * one that registered itself) gets links only: nothing is loaded from it before
 * the person said yes, and it cannot dress up as somebody else.
 */
#ifndef WEB_BRAND_H
#define WEB_BRAND_H

#include "app/app.h"
#include "base/json.h"

/* For html/layout.html and html/brand-links.html. */
void brand_set(struct jval *data, const struct app *app);

#endif
