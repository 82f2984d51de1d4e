/* How many configurations the compiler turns into jobs in a second on one core, inside one process,
 * and whether the time grows with the number of jobs only.
 *
 *     config-compilations FILE [SECONDS]
 *
 * FILE is compiled again and again; then files that are made here, of 500, 1000 and 2000 jobs (the
 * last one of 1 MB), once each. */
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "config/compile.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static bool read_file(const char *path, struct text *out)
{
    FILE *file = fopen(path, "r");
    if (!file)
        return false;
    for (size_t got = 1; got > 0; out->len += got) {
        text_reserve(out, 65536);
        got = fread(out->ptr + out->len, 1, 65536, file);
    }
    return fclose(file) == 0;
}

/* Compiles `text` with everything that belongs to it; gives how many jobs have come out well. */
static size_t compile(struct arena *arena, const char *path, struct text *text)
{
    Eos__Config__V1__SourceFile file = EOS__CONFIG__V1__SOURCE_FILE__INIT, *files[] = { &file };
    Eos__Config__V1__CompileRequest request = EOS__CONFIG__V1__COMPILE_REQUEST__INIT;
    size_t good = 0;
    file.path = (char *)(uintptr_t)path;
    file.content = (ProtobufCBinaryData){ text->len, (uint8_t *)text->ptr };
    request.files = files;
    request.n_files = 1;
    request.user = (char *)(uintptr_t) "tester";
    const Eos__Config__V1__CompileResponse *response = compile_run(arena, &request);
    for (size_t i = 0; i < response->n_jobs; i++)
        good += response->jobs[i]->error == NULL;
    if (response->error)
        fprintf(stderr, "%s: %s\n", path, response->error->message);
    return good;
}

static int measure_file(struct arena *arena, const char *path, double seconds)
{
    CLEANUP(text_done) struct text text = TEXT_INIT;
    size_t count = 0;
    if (!read_file(path, &text)) {
        fprintf(stderr, "could not read %s\n", path);
        return 1;
    }
    double start = now(), spent;
    do {
        arena_reset(arena);
        if (!compile(arena, path, &text))
            return 1;
        count++;
    } while ((spent = now() - start) < seconds);
    printf("%-40s %10.0f compilations/s\n", "one file, again and again", (double)count / spent);
    return 0;
}

static void write_jobs(struct text *text, int count)
{
    text_printf(text, "base = Job(cluster='east', role='www', environment='prod', service=True)\n"
                      "jobs = []\n");
    for (int i = 0; i < count; i++)
        text_printf(
            text,
            "jobs.append(base(name='service-%d', instances=%d, contact='team-%d@example.com',\n"
            "  task=SequentialTask(processes=[\n"
            "    Process(name='fetch', cmdline='curl -sO "
            "https://repo/{{profile.pkg}}-%d.tar.gz'),\n"
            "    Process(name='run', cmdline='exec ./{{profile.pkg}} --port "
            "{{thermos.ports[http]}} --shard {{mesos.instance}} --role {{role}}')],\n"
            "    resources=Resources(cpu=0.5, ram=128 * MB, disk=256 * MB)),\n"
            "  announce=Announcer()).bind(profile={'pkg': 'pkg%d'}))\n",
            i, i % 20 + 1, i % 7, i, i);
}

static int measure_jobs(struct arena *arena, int count)
{
    CLEANUP(text_done) struct text text = TEXT_INIT;
    write_jobs(&text, count);
    arena_reset(arena);
    double start = now();
    size_t good = compile(arena, "made.aurora", &text);
    double spent = now() - start;
    printf("%5d jobs, %4zu kB %28.0f ms %8.0f microseconds per job\n", count, text.len / 1000,
           spent * 1e3, spent * 1e6 / count);
    return good == (size_t)count ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: config-compilations FILE [SECONDS]\n");
        return 2;
    }
    struct arena *arena = arena_new();
    int status = measure_file(arena, argv[1], argc > 2 ? strtod(argv[2], NULL) : 3);
    for (int count = 500; status == 0 && count <= 2000; count *= 2)
        status = measure_jobs(arena, count);
    arena_free(arena);
    return status;
}
