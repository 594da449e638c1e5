/* SPDX-License-Identifier: Apache-2.0 */
/* How sure an e-mail address is. */
#include <check.h>

#include "base/evidence.h"
#include "usher/provider.h"

Suite *suite_evidence(void);

START_TEST(names_and_worth)
{
    static const struct {
        int evidence;
        const char *name;
        bool proves;
    } all[] = {
        {USHER_EVIDENCE_NONE, "none", false},
        {USHER_EVIDENCE_PROVIDER_ASSERTED, "provider_asserted", false},
        {USHER_EVIDENCE_PRIMARY_VERIFIED, "primary_verified", true},
        {USHER_EVIDENCE_XMS_EDOV, "xms_edov", true},
        {USHER_EVIDENCE_AUTHORITATIVE, "authoritative", true},
        {USHER_EVIDENCE_AUTHORITATIVE + 1, "none", false}, /* of a later usher, or a broken row */
        {-1, "none", false},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        ck_assert_str_eq(evidence_name(all[i].evidence), all[i].name);
        ck_assert_int_eq(evidence_proves(all[i].evidence), all[i].proves);
    }
}
END_TEST

Suite *suite_evidence(void)
{
    Suite *s = suite_create("evidence");
    TCase *tc = tcase_create("names and worth");
    tcase_add_test(tc, names_and_worth);
    suite_add_tcase(s, tc);
    return s;
}
