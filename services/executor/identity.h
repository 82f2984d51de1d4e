#pragma once

#include "base/error.h"
#include "base/text.h"

#include <eos/executor/v1/executor.pb-c.h>

/* The role's user in an image: its passwd and group files get the host's names and ids, so that
 * programs inside find a name for whom they run as.  Pure; the shell reads and appends. */

/* Adds to `ret_lines` what must be appended to the passwd file `contents`: nothing when the user is
 * there.  FAILED_PRECONDITION when the image has the name with another uid. */
bool identity_passwd(struct slice contents, const Eos__Executor__V1__UserPlan *user,
                     struct text *ret_lines, struct error *err) MUST_CHECK;

/* The same for the group of the user's name, when the group file has neither its id nor its name. */
void identity_group(struct slice contents, const Eos__Executor__V1__UserPlan *user,
                    struct text *ret_lines);
