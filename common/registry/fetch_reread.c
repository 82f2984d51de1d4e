#include "registry/fetch_state.h"

#include "base/alloc.h"

/* Who logs in, renews a token or adds an authority does so in a file, and the program that was started
 * before should see it.  So the files are read again, in a thread, when a registry has refused what they
 * said; when they are different then, all who wait for that start over. */

struct reread {
    uv_work_t work;
    struct registry_client *client;
    struct fetch *first;
    struct registry_files files;
    struct error error;
    bool is_good;
};

static void read_files(uv_work_t *work)
{
    struct reread *reread = work->data;
    reread->is_good = registry_files_read(&reread->client->paths, &reread->files, &reread->error);
}

/* What was made of the former files goes with them. */
static bool take_files(struct reread *reread)
{
    struct registry_client *client = reread->client;
    metric_add(reread->is_good ? client->reads : client->read_failures, 1);
    if (!reread->is_good)
        return false;
    if (strcmp(reread->files.digest, client->files.digest) == 0) {
        registry_files_done(&reread->files);
        return false;
    }
    registry_files_done(&client->files);
    client->files = reread->files;
    client->files_serial++;
    return true;
}

static void start_over(struct fetch *fetch)
{
    grants_forget(fetch->client->grants, fetch->request.base_url, fetch->request.repository);
    fetch->is_fresh = fetch->is_helped = false;
    fetch->helped = (struct credential){ 0 };
    fetch_start_over(fetch);
    fetch_send(fetch);
}

static struct fetch *take_first(struct reread *reread)
{
    struct fetch *fetch = reread->first;
    if (!fetch)
        return NULL;
    reread->first = fetch->next_in_reread;
    fetch->next_in_reread = NULL;
    fetch->reread = NULL;
    return fetch;
}

/* A callback may end others that wait; they leave the list by themselves. */
static void on_read(uv_work_t *work, int status)
{
    struct reread *reread = work->data;
    struct registry_client *client = reread->client;
    struct fetch *fetch;
    bool has_changed = status == 0 && take_files(reread);
    client->reread = NULL;
    while ((fetch = take_first(reread)))
        if (has_changed)
            start_over(fetch);
        else
            fetch_finish(fetch, &fetch->failure);
    free(reread);
    registry_client_part_closed(client);
}

static void begin(struct registry_client *client)
{
    struct reread *reread = xcalloc(1, sizeof *reread);
    reread->client = client;
    reread->work.data = reread;
    client->reread = reread;
    client->open_parts++;
    if (uv_queue_work(client->loop, &reread->work, read_files, on_read) < 0)
        abort(); /* only without a function */
}

static void wait_for(struct reread *reread, struct fetch *fetch)
{
    fetch->reread = reread;
    fetch->next_in_reread = reread->first;
    reread->first = fetch;
}

void fetch_finish_unless_reread(struct fetch *fetch, const struct error *err)
{
    struct registry_client *client = fetch->client;
    if (fetch->has_reread || client->is_closing) {
        fetch_finish(fetch, err);
        return;
    }
    fetch->has_reread = true;
    if (fetch->files_serial != client->files_serial) {
        start_over(fetch);
        return;
    }
    fetch->failure = *err;
    if (!client->reread)
        begin(client);
    wait_for(client->reread, fetch);
}

void fetch_reread_leave(struct fetch *fetch)
{
    if (!fetch->reread)
        return;
    struct fetch **at = &fetch->reread->first;
    while (*at != fetch)
        at = &(*at)->next_in_reread;
    *at = fetch->next_in_reread;
    fetch->reread = NULL;
}
