#include "launcher/image_flight.h"

#include "unit/test.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* Flights without a registry: whoever asked it would crash. */

#define DIGEST "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define NAME   "sha256-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct bed {
    char path[64];
    uv_loop_t loop;
    struct image_directory directory;
    struct image_flights *flights;
    unsigned answers, closed;
    char digest[IMAGE_DIGEST_BYTES];
};

static const struct image_need need = { .kind = IMAGE_DOCKER, .key = DIGEST, .digest = DIGEST };

static void on_landed(void *user, const struct image_flight_result *result)
{
    struct bed *bed = user;
    bed->answers++;
    snprintf(bed->digest, sizeof bed->digest, "%s", result->digest ? result->digest : "");
}

static void on_closed(void *user)
{
    struct bed *bed = user;
    bed->closed++;
}

static void bed_open(struct bed *bed)
{
    struct error err = { 0 };
    *bed = (struct bed){ .path = "/tmp/eos-flight.XXXXXX" };
    assert_non_null(mkdtemp(bed->path));
    assert_int_equal(uv_loop_init(&bed->loop), 0);
    assert_true(image_directory_open(&bed->directory, bed->path, &err));
    assert_int_equal(mkdirat(bed->directory.folder_fds[IMAGE_FOLDER_LAYERS], NAME, 0700), 0);
    bed->flights = image_flights_open(&bed->loop, &bed->directory, NULL, NULL);
}

static void bed_close(struct bed *bed)
{
    char command[128];
    image_flights_close(bed->flights, on_closed, bed);
    uv_run(&bed->loop, UV_RUN_DEFAULT);
    assert_int_equal(bed->closed, 1);
    assert_int_equal(uv_loop_close(&bed->loop), 0);
    image_directory_close(&bed->directory);
    snprintf(command, sizeof command, "rm -rf %s", bed->path);
    assert_int_equal(system(command), 0);
}

/* It was not when the one who joins had looked: the flight that brought it has landed since. */
static void what_is_there_is_not_fetched_again(void **state)
{
    (void)state;
    struct bed bed;
    bed_open(&bed);
    for (unsigned i = 0; i < 3; i++)
        image_flight_join(bed.flights, &need, on_landed, &bed);
    assert_int_equal(bed.answers, 0); /* later, never at once */
    uv_run(&bed.loop, UV_RUN_DEFAULT);
    assert_int_equal(bed.answers, 3);
    assert_string_equal(bed.digest, DIGEST);
    bed_close(&bed);
}

static void who_leaves_is_not_called(void **state)
{
    (void)state;
    struct bed bed;
    bed_open(&bed);
    struct image_seat *first = image_flight_join(bed.flights, &need, on_landed, &bed);
    struct image_seat *second = image_flight_join(bed.flights, &need, on_landed, &bed);
    image_seat_leave(first);
    image_seat_leave(second);
    image_flight_join(bed.flights, &need, on_landed, &bed); /* a flight of its own */
    uv_run(&bed.loop, UV_RUN_DEFAULT);
    assert_int_equal(bed.answers, 1);
    bed_close(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_there_is_not_fetched_again),
        cmocka_unit_test(who_leaves_is_not_called),
    };
    return cmocka_run_group_tests_name("flights", tests, NULL, NULL);
}
