#include "launcher/poll_pace.h"

int64_t poll_pace_due_ms(const struct poll_pace *pace, bool has_unsent_news)
{
    if (!pace->is_open || pace->is_stale)
        return pace->retry_ms;
    if (!has_unsent_news)
        return POLL_NEVER;
    return pace->has_news ? pace->sent_ms + POLL_NEWS_GAP_MS : pace->sent_ms;
}

void poll_pace_sent(struct poll_pace *pace, bool has_news, int64_t now_ms)
{
    pace->is_open = true;
    pace->is_stale = false;
    pace->has_news = has_news;
    pace->sent_ms = now_ms;
}

void poll_pace_answered(struct poll_pace *pace)
{
    pace->is_open = false;
    pace->failures = 0;
    pace->retry_ms = 0;
}

void poll_pace_failed(struct poll_pace *pace, unsigned jitter, int64_t now_ms)
{
    int64_t pause_ms = POLL_RETRY_MIN_MS << (pace->failures < 5 ? pace->failures : 5);
    if (pause_ms > POLL_RETRY_MAX_MS)
        pause_ms = POLL_RETRY_MAX_MS;
    pace->is_open = false;
    pace->failures++;
    pace->retry_ms = now_ms + pause_ms + pause_ms * (int64_t)jitter / 1000;
}
