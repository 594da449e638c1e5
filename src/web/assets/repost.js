// SPDX-License-Identifier: Apache-2.0
document.getElementById("repost").submit();
