#include "base/cleanup.h"
#include "clusters/clusters.h"
#include "unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct clusters_case {
    const char *name, *first, *second; /* files; `second` may be NULL */
    const char *cluster, *key, *value; /* value NULL: the cluster is not there */
    const char *message;               /* of the error; NULL: none */
} cases[] = {
    { "a list", "[{\"name\": \"a\", \"scheduler_uri\": \"http://h\"}]", NULL, "a", "scheduler_uri",
      "http://h", NULL },
    { "an object", "{\"x\": {\"name\": \"a\", \"docker_registry\": \"http://r:5000\"}}", NULL, "a",
      "docker_registry", "http://r:5000", NULL },
    { "an object's keys are no names", "{\"x\": {\"name\": \"a\"}}", NULL, "x", "name", NULL,
      NULL },
    { "an unknown key is kept", "[{\"name\": \"a\", \"colour\": \"red\"}]", NULL, "a", "colour",
      "red", NULL },
    { "an entry without name is ignored", "[{\"colour\": \"red\"}, {\"name\": \"a\"}]", NULL, "a",
      "name", "a", NULL },
    { "an empty list", "[]", NULL, "a", "name", NULL, NULL },
    { "the later file wins", "[{\"name\": \"a\", \"zk\": \"1\"}]",
      "[{\"name\": \"a\", \"zk\": \"2\"}]", "a", "zk", "2", NULL },
    { "and replaces the whole entry", "[{\"name\": \"a\", \"zk\": \"1\"}]", "[{\"name\": \"a\"}]",
      "a", "zk", "", NULL },
    { "other entries stay", "[{\"name\": \"a\", \"zk\": \"1\"}]", "[{\"name\": \"b\"}]", "a", "zk",
      "1", NULL },
    { "null is absent", "[{\"name\": \"a\", \"zk\": null}]", NULL, "a", "zk", "", NULL },
    { "no JSON", "[{\"name\": ]", NULL, "a", "name", NULL,
      "unable to parse FILE: line 1, column " },
    { "empty file", "", NULL, "a", "name", NULL, "unable to parse FILE" },
    { "a string", "\"x\"", NULL, "a", "name", NULL, "unknown layout in FILE" },
    { "a list of strings", "[{\"name\": \"a\"}, \"x\"]", NULL, "a", "name", NULL,
      "FILE: entry 2: clusters must be maps of key/value pairs, got a string" },
    { "an object of numbers", "{\"x\": 1}", NULL, "a", "name", NULL,
      "FILE: entry \"x\": clusters must be maps of key/value pairs, got a number" },
    { "a registry that is a list", "[{\"name\": \"a\", \"docker_registry\": []}]", NULL, "a",
      "name", NULL, "FILE: entry 1: \"docker_registry\" must be a string, got a list" },
    { "a control character", "[{\"name\": \"a\\nb\"}]", NULL, "a", "name", NULL,
      "\"name\" has a control character" },
};

static void is_read(void **state)
{
    const struct clusters_case *c = *state;
    struct clusters *clusters = clusters_new();
    struct error err = { 0 };

    bool ok = clusters_add_text(clusters, "FILE", slice_of(c->first), &err) &&
              (!c->second || clusters_add_text(clusters, "FILE", slice_of(c->second), &err));

    assert_int_equal(ok, c->message == NULL);
    assert_int_equal(err.code, c->message ? ERROR_INVALID_ARGUMENT : ERROR_OK);
    if (c->message)
        assert_non_null(strstr(err.message, c->message));
    const struct cluster *cluster = clusters_find(clusters, slice_of(c->cluster));
    assert_int_equal(cluster != NULL, c->value != NULL);
    if (cluster) {
        const char *value = cluster_value(cluster, c->key);
        assert_string_equal(value ? value : "", c->value);
    }
    clusters_free(clusters);
}

static void unknown_names_the_known(void **state)
{
    struct clusters *clusters = clusters_new();
    const struct cluster *cluster = NULL;
    struct error err = { 0 };
    (void)state;

    assert_false(clusters_get(clusters, SLICE("x"), &cluster, &err));
    assert_string_equal(err.message, "Unknown cluster: x");
    assert_true(
        clusters_add_text(clusters, "F", SLICE("[{\"name\":\"b\"},{\"name\":\"a\"}]"), &err));
    assert_false(clusters_get(clusters, SLICE("x"), &cluster, &err));
    assert_string_equal(err.message, "Unknown cluster: x. Known clusters: b, a");
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    assert_false(clusters_get(clusters, SLICE("x\ny"), &cluster, &err));
    assert_null(strchr(err.message, '\n'));
    assert_null(cluster);
    assert_true(clusters_get(clusters, SLICE("a"), &cluster, &err));
    assert_string_equal(cluster->name, "a");
    assert_int_equal(clusters_count(clusters), 2);
    clusters_free(clusters);
}

static void write_file(const char *directory, const char *name, const char *content)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(content, file);
    fclose(file);
}

static void search_path_is_ordered(void **state)
{
    char directory[] = "/tmp/eos-clusters.XXXXXX", path[256];
    struct clusters *clusters = clusters_new();
    struct error err = { 0 };
    (void)state;

    assert_non_null(mkdtemp(directory));
    setenv("AURORA_CONFIG_ROOT", directory, 1);
    setenv("EOS_CONFIG_ROOT", "/does/not/exist", 1);
    setenv("HOME", directory, 1);
    snprintf(path, sizeof path, "%s/.aurora", directory);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_true(clusters_add_search_path(clusters, &err));
    assert_int_equal(clusters_count(clusters), 0);

    write_file(directory, "clusters.json",
               "[{\"name\": \"a\", \"zk\": \"1\"}, {\"name\": \"b\", \"zk\": \"1\"}]");
    write_file(path, "clusters.json", "[{\"name\": \"a\", \"zk\": \"2\"}]");
    assert_true(clusters_add_search_path(clusters, &err));
    assert_string_equal(clusters_find(clusters, SLICE("a"))->zk, "2");
    assert_string_equal(clusters_find(clusters, SLICE("b"))->zk, "1");

    write_file(path, "clusters.json", "nonsense");
    assert_false(clusters_add_search_path(clusters, &err));
    assert_non_null(strstr(err.message, path));
    assert_false(clusters_add_file(clusters, "/does/not/exist", &err));
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    assert_non_null(strstr(err.message, "/does/not/exist"));

    char file[300];
    snprintf(file, sizeof file, "%s/clusters.json", path);
    unlink(file);
    rmdir(path);
    snprintf(file, sizeof file, "%s/clusters.json", directory);
    unlink(file);
    rmdir(directory);
    clusters_free(clusters);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_names_the_known),
        cmocka_unit_test(search_path_is_ordered),
    };
    return RUN_CASES(cases, is_read) + cmocka_run_group_tests(tests, NULL, NULL);
}
