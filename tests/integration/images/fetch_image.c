/* fetch_image [FLAG…] STORE REQUEST…
 *
 * The image store as a program, for the tests.  A request is "docker:NAME:TAG", "docker:NAME@DIGEST" or
 * "appc:NAME[@ID]"; all are asked for at once.  Each answer is one line of JSON on stdout, in the order
 * of the answers; --list and --prune add one for each image and one for the whole.  Exit status 0 when all succeeded and nothing was left in the loop. */
#include "base/arena.h"
#include "base/options.h"
#include "base/text.h"
#include "io/log.h"
#include "launcher/image_store.h"
#include "registry/registry.h"

#include <stdio.h>

static struct {
    const char *registry, *prefix, *netrc, *certs_dir;
    struct option_list insecure;
    int64_t deadline_ms, repeat;
    struct option_list used, only;
    int64_t unused_ms, keep_bytes, gc_size, gc_age_ms, orphan_age_ms;
    bool meta, cancel, close, close_in_answer, peak, list, prune, imported, dry, fresh;
} options = { .deadline_ms = 60000,
              .repeat = 1,
              .gc_size = INT64_MAX,
              .gc_age_ms = INT64_MAX,
              .orphan_age_ms = IMAGE_ORPHAN_AGE_MS };

/* clang-format off */
static const struct option rows[] = {
    { .name = "registry", .type = OPTION_STRING, .target = &options.registry, .value = "URL", .help = "of the cluster" },
    { .name = "prefix", .type = OPTION_STRING, .target = &options.prefix, .value = "PREFIX", .help = "of simple discovery" },
    { .name = "meta", .type = OPTION_SWITCH, .target = &options.meta, .help = "meta discovery besides the prefix" },
    { .name = "certs-dir", .type = OPTION_STRING, .target = &options.certs_dir, .value = "DIR", .help = "certificates" },
    { .name = "netrc", .type = OPTION_STRING, .target = &options.netrc, .value = "FILE", .help = "credentials" },
    { .name = "insecure-registry", .type = OPTION_LIST, .target = &options.insecure, .value = "HOST", .help = "plain HTTP" },
    { .name = "deadline", .type = OPTION_DURATION, .target = &options.deadline_ms, .value = "DURATION", .help = "of each request" },
    { .name = "repeat", .type = OPTION_INTEGER, .target = &options.repeat, .value = "COUNT", .help = "each request so often" },
    { .name = "cancel", .type = OPTION_SWITCH, .target = &options.cancel, .help = "cancel every second request at once" },
    { .name = "close", .type = OPTION_SWITCH, .target = &options.close, .help = "close the store at once" },
    { .name = "close-in-answer", .type = OPTION_SWITCH, .target = &options.close_in_answer, .help = "close the store in the first answer" },
    { .name = "fresh", .type = OPTION_SWITCH, .target = &options.fresh, .help = "ask the registry for imported names too" },
    { .name = "list", .type = OPTION_SWITCH, .target = &options.list, .help = "then what the store has" },
    { .name = "prune", .type = OPTION_SWITCH, .target = &options.prune, .help = "then remove what nobody uses" },
    { .name = "unused-for", .type = OPTION_DURATION, .target = &options.unused_ms, .value = "DURATION", .help = "prune only what is unused for so long" },
    { .name = "keep", .type = OPTION_BYTES, .target = &options.keep_bytes, .value = "BYTES", .help = "prune only beyond so much" },
    { .name = "only", .type = OPTION_LIST, .target = &options.only, .value = "NAME", .help = "prune only these" },
    { .name = "imported", .type = OPTION_SWITCH, .target = &options.imported, .help = "prune imported ones too" },
    { .name = "dry", .type = OPTION_SWITCH, .target = &options.dry, .help = "prune nothing really" },
    { .name = "used", .type = OPTION_LIST, .target = &options.used, .value = "DIGEST", .help = "tasks use this image" },
    { .name = "gc-size", .type = OPTION_BYTES, .target = &options.gc_size, .value = "BYTES", .help = "of the store's own collection" },
    { .name = "gc-age", .type = OPTION_DURATION, .target = &options.gc_age_ms, .value = "DURATION", .help = "the same" },
    { .name = "orphan-age", .type = OPTION_DURATION, .target = &options.orphan_age_ms, .value = "DURATION", .help = "the same" },
    { .name = "peak", .type = OPTION_SWITCH, .target = &options.peak, .help = "at last, the process's peak memory" },
    { 0 },
};
/* clang-format on */

static struct arena *names;
static struct image_store *store;
static struct registry_client *registry;
static int64_t waiting;
static int status;

static void close_all(void)
{
    if (!store)
        return;
    struct image_store *closing = store;
    store = NULL;
    image_store_close(closing);
    registry_client_close(registry);
}

static void print_list(struct text *line, const char *name, const char *const *items, size_t count)
{
    text_printf(line, ",\"%s\":[", name);
    for (size_t i = 0; i < count; i++) {
        text_add(line, i > 0 ? "," : "");
        text_add_json_string(line, slice_of(items[i]));
    }
    text_add(line, "]");
}

static void print_error(const char *request, const struct error *err)
{
    struct text line = TEXT_INIT;
    text_add(&line, "{\"request\":");
    text_add_json_string(&line, slice_of(request));
    text_printf(&line, ",\"code\":%d,\"error\":", (int)err->code);
    text_add_json_string(&line, slice_of(err->message));
    text_add(&line, "}");
    puts(text_string(&line));
    text_done(&line);
    status = 1;
}

static void print_image(const char *request, const struct image *image)
{
    struct text line = TEXT_INIT;
    text_add(&line, "{\"request\":");
    text_add_json_string(&line, slice_of(request));
    text_printf(&line, ",\"digest\":\"%s\",\"directory\":", image->digest);
    text_add_json_string(&line, slice_of(image->working_directory));
    print_list(&line, "layers", image->layers, image->layer_count);
    print_list(&line, "environment", image->environment, image->environment_count);
    text_add(&line, "}");
    puts(text_string(&line));
    text_done(&line);
}

static void print_entry(const struct image_entry *entry)
{
    struct text line = TEXT_INIT;
    text_printf(&line, "{\"digest\":\"%s\",\"used\":%s,\"imported\":%s,\"removed\":%s,",
                entry->digest, entry->is_used ? "true" : "false",
                entry->is_imported ? "true" : "false", entry->is_removed ? "true" : "false");
    text_printf(&line, "\"bytes\":%lld,\"shared\":%lld,\"layers\":%zu,\"names\":[",
                (long long)entry->bytes, (long long)entry->shared_bytes, entry->layer_count);
    for (size_t i = 0; i < entry->name_count; i++) {
        text_add(&line, i > 0 ? "," : "");
        text_add_json_string(&line, slice_of(entry->names[i].name));
    }
    text_add(&line, "]}");
    puts(text_string(&line));
    text_done(&line);
}

static void on_collection(void *user, const struct image_collection *result,
                          const struct error *err)
{
    (void)user;
    if (err) {
        print_error("", err);
    } else {
        for (size_t i = 0; i < result->image_count; i++)
            print_entry(&result->images[i]);
        printf("{\"left\":%lld,\"freed\":%lld,\"unknown\":%zu}\n", (long long)result->bytes,
               (long long)result->freed_bytes, result->unknown_count);
    }
    close_all();
}

static void add_users(void *user, void (*add)(void *to, const char *digest), void *to)
{
    (void)user;
    for (size_t i = 0; i < options.used.count; i++)
        add(to, options.used.items[i]);
}

/* At the end, if it is wanted. */
static void look(void)
{
    struct error err = { 0 };
    const struct image_keeper_wish wish = { .wanted = options.only.items,
                                            .wanted_count = options.only.count,
                                            .rule = { options.unused_ms, options.keep_bytes },
                                            .is_list = options.list && !options.prune,
                                            .with_imported = options.imported,
                                            .is_dry = options.dry };
    if (!store)
        return;
    if (!options.list && !options.prune) {
        close_all();
        return;
    }
    if (!image_keeper_ask(image_store_keeper(store), &wish, on_collection, NULL, &err)) {
        print_error("", &err);
        close_all();
    }
}

static void on_image(void *user, const struct image *image, const struct error *err)
{
    const char *request = user;
    if (image)
        print_image(request, image);
    else
        print_error(request, err);
    fflush(stdout);
    waiting--;
    if (options.close_in_answer)
        close_all();
    else if (waiting == 0)
        look();
}

static struct image_request parse(const char *argument)
{
    struct slice rest = slice_of(argument), kind = slice_split(&rest, ':');
    char *name = arena_memdup0(names, rest.ptr ? rest.ptr : "", rest.len);
    struct image_request request = { .kind = slice_is(kind, "appc") ? IMAGE_APPC : IMAGE_DOCKER };
    char *digest = strchr(name, '@'), *tag = strrchr(name, ':');
    if (digest)
        tag = digest;
    if (tag && (digest || request.kind == IMAGE_DOCKER))
        *tag++ = 0;
    request.is_fresh = options.fresh;
    request.name = name;
    request.tag = request.kind == IMAGE_DOCKER ? tag : NULL;
    request.id = request.kind == IMAGE_APPC && digest ? tag : "";
    return request;
}

static void fetch(char *argument, int64_t turn)
{
    struct error err = { 0 };
    struct image_request request = parse(argument);
    struct image_fetch *ticket =
        image_store_fetch(store, &request, (uint32_t)options.deadline_ms, on_image, argument, &err);
    if (!ticket) {
        print_error(argument, &err);
        return;
    }
    if (options.cancel && turn % 2 == 1)
        image_store_cancel(ticket);
    else
        waiting++;
}

static bool open_store(uv_loop_t *loop, const char *directory, struct error *err)
{
    struct registry_options registry_options = { .insecure_registries = options.insecure.items,
                                                 .insecure_registry_count =
                                                     options.insecure.count };
    registry = registry_client_open(loop, &registry_options, err);
    if (!registry)
        return false;
    struct image_store_options store_options = {
        .directory = directory,
        .registry = registry,
        .registry_url = options.registry,
        .appc_simple_discovery_uri_prefix = options.prefix,
        .appc_meta_discovery = options.meta,
        .web = { options.netrc, options.certs_dir, options.insecure.items, options.insecure.count },
        .keep = { options.gc_size, options.gc_age_ms, options.orphan_age_ms },
    };
    store = image_store_open(loop, &store_options, err);
    if (store)
        image_store_start_keeping(store, add_users, NULL);
    else
        registry_client_close(registry);
    return store;
}

static void fetch_all(int count, char **requests)
{
    waiting++; /* not before all are asked for */
    for (int i = 0; i < count; i++)
        for (int64_t turn = 0; turn < options.repeat; turn++)
            fetch(requests[i], turn);
    waiting--;
    if (options.close)
        close_all();
    else if (waiting == 0)
        look();
}

/* getrusage() counts what the process was before exec as well. */
static void print_peak(void)
{
    char line[256];
    FILE *file = fopen("/proc/self/status", "re");
    while (file && fgets(line, sizeof line, file)) {
        struct slice value = slice_of(line), name = slice_split(&value, ':');
        if (slice_is(name, "VmHWM"))
            printf("{\"peak\":\"%.*s\"}\n", SLICE_ARG(slice_trim(value)));
    }
    if (file)
        fclose(file);
}

int main(int argc, char **argv)
{
    struct error err = { 0 };
    uv_loop_t loop;
    int count = 0;
    if (!options_parse(rows, argc, argv, &count, &err) || count < 1 || uv_loop_init(&loop) < 0) {
        fprintf(stderr, "fetch_image: %s\n", err.message);
        return 2;
    }
    names = arena_new();
    log_open("fetch_image", LOG_PLAIN, LOG_ERROR);
    if (open_store(&loop, argv[1], &err))
        fetch_all(count - 1, argv + 2);
    else
        print_error("", &err);
    uv_run(&loop, UV_RUN_DEFAULT);
    if (uv_loop_close(&loop) != 0) {
        fprintf(stderr, "fetch_image: the loop is not empty\n");
        return 3;
    }
    if (options.peak)
        print_peak();
    options_done(rows);
    arena_free(names);
    return status;
}
