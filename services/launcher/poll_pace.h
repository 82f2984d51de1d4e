#pragma once

#include <stdbool.h>
#include <stdint.h>

/* When to send the next poll.
 *
 * One poll is held open by the scheduler for most of the time.  News do not wait for it to come back:
 * a poll of a higher sequence is sent, and the scheduler lets the older one go.  Polls with news are
 * answered at once, so the next one waits for that answer, but not for ever; and when that answer does
 * not come at all, they are told again.
 *
 * A scheduler that answers every poll at once is not asked more than so often. */
struct poll_pace {
    bool is_open;      /* the newest poll has not been answered */
    bool has_news;     /* the newest poll carries some */
    bool is_stale;     /* the connection broke after it was sent */
    int64_t sent_ms;   /* when it was sent */
    int64_t retry_ms;  /* not before this, after a failure */
    unsigned failures; /* in a row */
    int64_t paid_ms;   /* until when the polls so far have used up the time */
};

#define POLL_NEWS_GAP_MS  100
#define POLL_LOST_MS      3000 /* an answer to news that has not come by then is given up */
#define POLL_COST_MS      5    /* on average there are no more polls than one in that time */
#define POLL_BURST_MS     250  /* but so many at once as would cost that */
#define POLL_RETRY_MIN_MS 100
#define POLL_RETRY_MAX_MS 3000

#define POLL_NEVER INT64_MAX

/* When the next poll is due: `now_ms` or earlier means at once, POLL_NEVER that only an answer or news
 * will change that. */
int64_t poll_pace_due_ms(const struct poll_pace *pace, bool has_unsent_news);

void poll_pace_sent(struct poll_pace *pace, bool has_news, int64_t now_ms);
void poll_pace_answered(struct poll_pace *pace);

/* `jitter` is 0 to 999: thousandths that are added to the pause. */
void poll_pace_failed(struct poll_pace *pace, unsigned jitter, int64_t now_ms);
