#include "launcher/recovery.h"

#include <stddef.h>

enum fact { NO, YES, ANY };

/* The first row that fits decides. */
/* clang-format off */
static const struct row {
    enum fact is_clean, has_ended, is_alive, has_exit, may_have_run;
    enum recovery recovery;
} rows[] = {
    /* clean ended alive exit  may have run */
    {  YES,  ANY,  ANY,  ANY,  ANY,  RECOVER_DEAD },
    {  NO,   YES,  YES,  ANY,  ANY,  RECOVER_LEAVE },
    {  NO,   YES,  NO,   ANY,  ANY,  RECOVER_CLEAN },
    {  NO,   NO,   YES,  ANY,  ANY,  RECOVER_CONNECT },
    {  NO,   NO,   NO,   YES,  ANY,  RECOVER_READ_EXIT },
    {  NO,   NO,   NO,   NO,   YES,  RECOVER_LOST },
    {  NO,   NO,   NO,   NO,   NO,   RECOVER_LAUNCH },
};
/* clang-format on */

static bool fits(enum fact fact, bool value)
{
    return fact == ANY || (fact == YES) == value;
}

enum recovery recovery_decide(const struct recovery_facts *facts)
{
    bool may_have_run = facts->has_begun || facts->was_started;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (fits(rows[i].is_clean, facts->is_clean) && fits(rows[i].has_ended, facts->has_ended) &&
            fits(rows[i].is_alive, facts->is_alive) && fits(rows[i].has_exit, facts->has_exit) &&
            fits(rows[i].may_have_run, may_have_run))
            return rows[i].recovery;
    return RECOVER_LOST;
}
