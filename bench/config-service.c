/* What the service keeps of the configurations that it has compiled: a real eos-config compiles all that stand in a
 * directory, in turns, whole and cut off at half, over rpc; its resident memory after so many compilations is compared
 * with that after the first thousand.
 *
 *     config-service EOS-CONFIG DIRECTORY [COUNT] */
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/slice.h"
#include "base/text.h"
#include "io/rpc_client.h"

#include "eos/config/v1/config.pb-c.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

extern char **environ;

#define IN_FLIGHT  4
#define WARM_COUNT 1000
#define FILES_MAX  10000

struct bench {
    uv_loop_t loop;
    struct rpc_client *client;
    pid_t service;
    struct text *files;
    size_t file_count;
    uint64_t wanted, next_report, started, answered, good, failed;
    uint64_t warm_kb, start_ns;
};

static uint64_t resident_kb(pid_t pid)
{
    char path[64], line[256];
    unsigned long kb = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file)) {
        struct slice rest = slice_of(line);
        if (slice_starts_with(rest, SLICE("VmRSS:")))
            kb = strtoul(line + sizeof "VmRSS:" - 1, NULL, 10);
    }
    if (file)
        fclose(file);
    return kb;
}

static bool read_file(const char *path, struct text *out)
{
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && text_read(out, fd, SIZE_MAX - 1);
}

static void read_files(struct bench *bench, const char *folder)
{
    DIR *directory = opendir(folder);
    bench->files = xcalloc(FILES_MAX, sizeof *bench->files);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        if (!slice_ends_with(slice_of(entry->d_name), SLICE(".aurora")) ||
            bench->file_count == FILES_MAX)
            continue;
        cleanup_free char *path = xasprintf("%s/%s", folder, entry->d_name);
        struct text *text = &bench->files[bench->file_count];
        *text = (struct text)TEXT_INIT;
        bench->file_count += read_file(path, text);
    }
    if (directory)
        closedir(directory);
}

static void start(struct bench *bench);

static void report(struct bench *bench)
{
    uint64_t kb = resident_kb(bench->service);
    if (bench->answered == WARM_COUNT)
        bench->warm_kb = kb;
    double seconds = (double)(uv_hrtime() - bench->start_ns) / 1e9;
    printf("%9lu compilations (%lu with jobs): %6lu kB resident, %.3f of that after %d; %.0f/s\n",
           (unsigned long)bench->answered, (unsigned long)bench->good, (unsigned long)kb,
           bench->warm_kb ? (double)kb / (double)bench->warm_kb : 0, WARM_COUNT,
           (double)bench->answered / seconds);
    fflush(stdout);
}

static void on_reply(void *user, const ProtobufCMessage *message, const struct error *err)
{
    struct bench *bench = user;
    const Eos__Config__V1__CompileResponse *response = (const void *)message;
    if (err && bench->failed++ == 0)
        fprintf(stderr, "config-service: %s\n", err->message);
    bench->good += response && response->n_jobs > 0;
    if (++bench->answered < bench->next_report) {
        if (bench->started < bench->next_report)
            start(bench);
        return;
    }
    report(bench); /* nothing is under way now */
    if (bench->answered == bench->wanted) {
        rpc_client_close(bench->client);
        return;
    }
    uint64_t part = bench->wanted / 10;
    bench->next_report = (bench->answered / part + 1) * part;
    if (bench->next_report > bench->wanted)
        bench->next_report = bench->wanted;
    for (int i = 0; i < IN_FLIGHT && bench->started < bench->next_report; i++)
        start(bench);
}

static void start(struct bench *bench)
{
    Eos__Config__V1__SourceFile file = EOS__CONFIG__V1__SOURCE_FILE__INIT, *files[] = { &file };
    Eos__Config__V1__CompileRequest request = EOS__CONFIG__V1__COMPILE_REQUEST__INIT;
    struct error err;
    const struct text *text = &bench->files[bench->started % bench->file_count];
    bool is_half = bench->started / bench->file_count % 2;
    file.path = (char *)(uintptr_t) "config.aurora";
    file.content =
        (ProtobufCBinaryData){ is_half ? text->len / 2 : text->len, (uint8_t *)text->ptr };
    request.files = files;
    request.n_files = 1;
    request.user = (char *)(uintptr_t) "tester";
    bench->started++;
    if (!rpc_call(bench->client, &eos__config__v1__config__descriptor, "Compile", &request.base,
                  NULL, on_reply, bench, &err)) {
        fprintf(stderr, "config-service: %s\n", err.message);
        exit(1);
    }
}

static void run(struct bench *bench, const char *url)
{
    struct rpc_client_options options = { .url = url, .caller = "bench" };
    struct error err;
    uv_loop_init(&bench->loop);
    bench->client = rpc_client_open(&bench->loop, &options, &err);
    if (!bench->client)
        exit(1);
    bench->start_ns = uv_hrtime();
    bench->next_report = WARM_COUNT;
    for (int i = 0; i < IN_FLIGHT; i++)
        start(bench);
    uv_run(&bench->loop, UV_RUN_DEFAULT);
    uv_loop_close(&bench->loop);
}

int main(int argc, char **argv)
{
    char directory[] = "/tmp/eos-bench.XXXXXX", socket[64], url[80];
    static struct bench bench = { .wanted = 1000000 };
    if (argc < 3 || (argc > 3 && !slice_to_u64(slice_of(argv[3]), UINT32_MAX, &bench.wanted)) ||
        bench.wanted < WARM_COUNT) {
        fprintf(stderr,
                "usage: config-service EOS-CONFIG DIRECTORY [COUNT], with a count of at least %d\n",
                WARM_COUNT);
        return 2;
    }
    read_files(&bench, argv[2]);
    if (bench.file_count == 0 || !mkdtemp(directory)) {
        fprintf(stderr, "config-service: there are no configurations in %s\n", argv[2]);
        return 1;
    }
    snprintf(socket, sizeof socket, "%s/config.sock", directory);
    snprintf(url, sizeof url, "ipc://%s", socket);
    char *service[] = { argv[1], "--listen", url, "--log-level", "error", NULL };
    setenv("EOS_DIE_WITH_PARENT", "1", 1);
    if (posix_spawn(&bench.service, argv[1], NULL, NULL, service, environ) != 0)
        return 1;
    run(&bench, url);
    kill(bench.service, SIGTERM);
    waitpid(bench.service, NULL, 0);
    unlink(socket);
    rmdir(directory);
    for (size_t i = 0; i < bench.file_count; i++)
        text_done(&bench.files[i]);
    free(bench.files);
    return bench.failed > 0;
}
