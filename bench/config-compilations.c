/* How many configurations the compiler turns into jobs in a second on one core, inside one process,
 * and whether the time grows no faster than what is long in it.
 *
 *     config-compilations FILE [SECONDS]
 *
 * FILE is compiled again and again; then files that are made here and get longer in one way after the other: the
 * last one with 2000 jobs has 1 MB. */
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "config/compile.h"

#include <fcntl.h>
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
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && text_read(out, fd, SIZE_MAX - 1);
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

#define JOB_START "jobs = [Job(name='a', cluster='east', role='www', environment='prod', "

static void write_processes(struct text *text, int count)
{
    text_printf(text,
                JOB_START
                "task=SequentialTask(name='t', processes=[\n"
                "  Process(name='p%%d' %% i, cmdline='run {{thermos.ports[http]}} %%d' %% i)"
                " for i in range(%d)],\n"
                "  resources=Resources(cpu=1, ram=GB, disk=GB)))]\n",
                count);
}

static void write_references(struct text *text, int count)
{
    text_printf(text,
                JOB_START
                "task=SimpleTask('t', ' '.join('{{a}}{{b[%%d]}}{{thermos.ports[p%%d]}}' %%"
                " (i, i) for i in range(%d)))\n"
                "  ).bind(a='{{role}}', b=List(String)(['x%%d' %% i for i in range(%d)]))]\n",
                count, count);
}

static void write_bindings(struct text *text, int count)
{
    text_printf(text,
                "conf = {'k%%d' %% i: '{{cluster}}-%%d' %% i for i in range(%d)}\n" JOB_START
                "task=SimpleTask('t', ' '.join('{{conf.k%%d}}' %% i for i in range(%d)))\n"
                "  ).bind(conf=conf)]\n",
                count, count);
}

static void write_constraints(struct text *text, int count)
{
    text_printf(text,
                JOB_START
                "constraints={'host': ','.join('h%%d' %% i for i in range(%d)), 'rack': 'r'},\n"
                "  task=SimpleTask('t', 'run'))]\n",
                count);
}

static void write_texts(struct text *text, int count)
{
    text_printf(text,
                "s, d, l = '', {}, []\nfor i in range(%d):\n  s += 'x%%d' %% i\n"
                "  d['k%%d' %% i] = i\n  l.append(i)\n" JOB_START
                "task=SimpleTask('t', s[:100] + str(len(d))))]\n",
                count);
}

static void write_statements(struct text *text, int count)
{
    text_add(text, "def f():\n");
    for (int i = 0; i < count; i++)
        text_printf(text, "  name_%d = dict(a=%d, b=[1, 2, 'x'], c='y' + 'z')['a'] # why\n", i, i);
    text_add(text, "f()\n" JOB_START "task=SimpleTask('t', 'run'))]\n");
}

/* What may be long, and how long it is at first; it is doubled twice. */
static const struct shape {
    const char *name;
    void (*write)(struct text *text, int count);
    int count;
} shapes[] = {
    { "jobs", write_jobs, 500 },
    { "processes of a task", write_processes, 250 },
    { "references of a text", write_references, 2000 },
    { "bindings of a job", write_bindings, 2000 },
    { "values of a constraint", write_constraints, 20000 },
    { "parts of a text, and of a dict", write_texts, 20000 },
    { "statements", write_statements, 5000 },
};

#define DOUBLINGS 2
#define ROUNDS    5

/* Seconds, the least of several rounds; negative when it does not compile. */
static double measure_shape(struct arena *arena, const struct shape *shape, int count,
                            size_t *ret_len)
{
    CLEANUP(text_done) struct text text = TEXT_INIT;
    double least = -1;
    size_t wanted = shape->write == write_jobs ? (size_t)count : 1;
    shape->write(&text, count);
    *ret_len = text.len;
    for (int round = 0; round < ROUNDS; round++) {
        arena_reset(arena);
        double start = now();
        if (compile(arena, "made.aurora", &text) != wanted)
            return -1;
        double spent = now() - start;
        if (round == 0 || spent < least)
            least = spent;
    }
    return least;
}

/* A ratio of 2 for each doubling is linear. */
static int measure_growth(struct arena *arena, const struct shape *shape)
{
    double before = 0;
    for (int i = 0, count = shape->count; i <= DOUBLINGS; i++, count *= 2) {
        size_t len;
        double spent = measure_shape(arena, shape, count, &len);
        if (spent < 0)
            return 1;
        printf("%6d %-32s %5zu kB %8.1f ms %6.1f microseconds each", count, shape->name, len / 1000,
               spent * 1e3, spent * 1e6 / count);
        if (before > 0)
            printf("  %.2f times the time", spent / before);
        printf("\n");
        before = spent;
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: config-compilations FILE [SECONDS]\n");
        return 2;
    }
    struct arena *arena = arena_new();
    int status = measure_file(arena, argv[1], argc > 2 ? strtod(argv[2], NULL) : 3);
    for (size_t i = 0; status == 0 && i < sizeof shapes / sizeof *shapes; i++)
        status = measure_growth(arena, &shapes[i]);
    arena_free(arena);
    return status;
}
