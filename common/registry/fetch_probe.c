#include "registry/fetch_state.h"

#include "registry/answer.h"

/* A host that is no registry answers questions for images with pages of its own.  The version check of
 * the distribution spec tells; it is made only then, because what is a registry has no need of it. */

static bool is_web_page(struct http_transfer *transfer)
{
    return slice_starts_with(http_header(transfer, "Content-Type", 0), SLICE("text/html"));
}

static void on_probe_done(void *user, enum http_outcome outcome, const char *why)
{
    struct fetch *fetch = user;
    unsigned status = http_status(fetch->transfer);
    bool is_registry = outcome == HTTP_BROKEN || status == 401 || status == 429 || status >= 500 ||
                       (status == 200 && !is_web_page(fetch->transfer)) ||
                       http_header(fetch->transfer, "Docker-Distribution-Api-Version", 0).len > 0;
    (void)why;
    fetch->transfer = NULL;
    if (is_registry)
        fetch_finish(fetch, &fetch->failure);
    else
        fetch_fail(fetch, ERROR_FAILED_PRECONDITION,
                   "%s is no registry (its answer to /v2/ was %u), so it did not give %s",
                   fetch->request.base_url, status, fetch->request.what);
}

void fetch_probe(struct fetch *fetch, const struct error *err)
{
    const char *url = arena_printf(fetch->arena, "%s/v2/", fetch->request.base_url);
    struct http_request request = fetch_http_request(fetch, url);
    request.on_data = fetch_on_refusal_data;
    request.on_done = on_probe_done;
    fetch->failure = *err;
    fetch->is_probed = true;
    text_clear(&fetch->body);
    fetch->transfer = http_start(fetch->client->http, &request);
}
