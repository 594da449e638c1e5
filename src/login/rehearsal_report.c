/* SPDX-License-Identifier: Apache-2.0 */
#include "login/rehearsal_report.h"

#include "app/decide.h"
#include "base/evidence.h"

static struct jval *list_of(const char *const *v)
{
    struct jval *list = jval_new_array();
    for (; v && *v; v++)
        jval_push(list, jval_new_text(*v));
    return list;
}

struct jval *rehearsal_identity(const struct trial *t, const struct drive_identity *id)
{
    struct jval *o = jval_new_object();
    jval_set_text(o, "subject", id->subject);
    jval_set_text(o, "username", id->username);
    jval_set_text(o, "name", id->name);
    jval_set_text(o, "email", id->email);
    jval_set_text(o, "picture", id->picture);
    jval_set_text(o, "locale", id->locale);
    jval_set(o, "groups", list_of(id->groups));
    jval_set(o, "amr", list_of(id->amr));
    struct jval *shown = trial_redact(t, o);
    jval_free(&o);
    return shown;
}

struct jval *rehearsal_evidence(uint32_t evidence)
{
    static const char *const texts[] = {
        [USHER_EVIDENCE_NONE] = "Nobody says that the address was verified.",
        [USHER_EVIDENCE_PROVIDER_ASSERTED] = "The provider says that it verified the address.",
        [USHER_EVIDENCE_PRIMARY_VERIFIED] = "It is the primary address, and verified.",
        [USHER_EVIDENCE_XMS_EDOV] = "The owner of the address's domain was verified.",
        [USHER_EVIDENCE_AUTHORITATIVE] = "The provider runs this mailbox itself.",
    };
    const size_t n = sizeof texts / sizeof *texts;
    struct jval *o = jval_new_object();
    jval_set_text(o, "value", evidence_name((int)evidence));
    jval_set_text(o, "text", texts[evidence < n ? evidence : 0]);
    return o;
}

struct jval *rehearsal_linking(enum link_outcome foreseen, const struct account *a)
{
    static const struct {
        const char *decision, *text;
    } known[] = {
        [LINK_IS_KNOWN] = {"existing", "The identity belongs to an account that is there already."},
        [LINK_IS_NEW] = {"new", "Nobody has signed in with this identity yet: a new account would "
                                "be made."},
        [LINK_IS_JOINED] = {"joined", "Nobody has signed in with this identity yet: it would join "
                                      "the account that has the same verified address."},
        [LINK_IS_ASKED] = {"asked", "Nobody has signed in with this identity yet, and somebody has "
                                    "the same address: the person would be asked who they are."},
        [LINK_IS_UNKNOWN] = {"refused", "Nobody has signed in with this identity yet."},
        [LINK_IS_BARRED] = {"barred", "The identity's account was deleted for good: the sign-in "
                                      "would be refused."},
    };
    struct jval *o = jval_new_object();
    const bool disabled = a->id[0] != '\0' && a->disabled;
    jval_set_text(o, "decision", disabled ? "disabled" : known[foreseen].decision);
    jval_set_text(o, "account", a->id[0] != '\0' ? a->id : NULL);
    jval_set_text(o, "text",
                  disabled ? "The identity belongs to an account that is disabled: the "
                             "sign-in would be refused."
                           : known[foreseen].text);
    return o;
}

struct jval *rehearsal_failure(const struct err *err)
{
    struct jval *o = jval_new_object();
    jval_set_text(o, "kind", err_kind_name(err->kind));
    jval_set_text(o, "text", err->text);
    return o;
}

struct jval *rehearsal_rules(const struct apps *apps, const struct app_subject *s)
{
    struct jval *list = jval_new_array();
    for (size_t i = 0; apps && i < apps_count(apps); i++) {
        const struct app *app = apps_at(apps, i);
        struct jval *o = app_explain(app, s, NULL, NULL);
        jval_set_text(o, "label", app->label);
        jval_push(list, o);
    }
    return list;
}

struct jval *rehearsal_requests(const struct trial *t, const char *url, size_t before_hop)
{
    struct jval *all = trial_requests(t), *list = jval_new_array();
    for (size_t i = 0; i <= jval_count(all); i++) {
        if (url && i == before_hop)
            jval_push(list, trial_redirect_entry(url));
        if (i < jval_count(all))
            jval_push(list, jval_ref((struct jval *)(uintptr_t)jval_item(all, i)));
    }
    jval_free(&all);
    return list;
}
