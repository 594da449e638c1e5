/* SPDX-License-Identifier: Apache-2.0 */
#include "base/evidence.h"

#include "usher/provider.h"

const char *evidence_name(int evidence)
{
    switch ((enum usher_evidence)evidence) {
    case USHER_EVIDENCE_NONE:
        break;
    case USHER_EVIDENCE_PROVIDER_ASSERTED:
        return "provider_asserted";
    case USHER_EVIDENCE_PRIMARY_VERIFIED:
        return "primary_verified";
    case USHER_EVIDENCE_XMS_EDOV:
        return "xms_edov";
    case USHER_EVIDENCE_AUTHORITATIVE:
        return "authoritative";
    }
    return "none";
}

bool evidence_proves(int evidence)
{
    return evidence >= USHER_EVIDENCE_PRIMARY_VERIFIED && evidence <= USHER_EVIDENCE_AUTHORITATIVE;
}
