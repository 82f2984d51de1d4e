#include "launcher/poll_pace.h"

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t poll_pace_due_ms(const struct poll_pace *pace, bool has_unsent_news)
{
    int64_t free_ms = pace->paid_ms - POLL_BURST_MS;
    if (!pace->is_open || pace->is_stale)
        return later(pace->retry_ms, free_ms);
    if (has_unsent_news)
        return later(pace->has_news ? pace->sent_ms + POLL_NEWS_GAP_MS : pace->sent_ms, free_ms);
    return pace->has_news ? pace->sent_ms + POLL_LOST_MS : POLL_NEVER;
}

void poll_pace_sent(struct poll_pace *pace, bool has_news, int64_t now_ms)
{
    pace->is_open = true;
    pace->is_stale = false;
    pace->has_news = has_news;
    pace->sent_ms = now_ms;
    pace->paid_ms = later(pace->paid_ms, now_ms) + POLL_COST_MS;
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
