#include "launcher/image_download.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "launcher/image_limits.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONNECT_TIMEOUT_S 30l
#define STALL_TIMEOUT_S   60l
#define MAX_REDIRECTS     5l
#define CANCEL_CHECK_MS   250 /* how long a cancelled download may go on */
#define FILE_READ_BYTES   (256u << 10)

struct file_source {
    struct image_source source;
    const atomic_bool *cancelled;
    int fd;
    char bytes[FILE_READ_BYTES];
};

struct download {
    struct image_source source;
    const atomic_bool *cancelled;
    atomic_bool is_stopped;
    CURLM *multi;
    CURL *easy;
    struct text received;
    bool has_ended;
    CURLcode result;
    char curl_error[CURL_ERROR_SIZE];
};

static bool check_cancelled(const atomic_bool *cancelled, struct error *err)
{
    return !atomic_load(cancelled) ||
           error_set(err, ERROR_CANCELLED, "nobody waits for it any more");
}

static bool read_file(struct image_source *source, const char **ret_bytes, size_t *ret_len,
                      struct error *err)
{
    struct file_source *file = (struct file_source *)source;
    if (!check_cancelled(file->cancelled, err))
        return false;
    ssize_t len = read(file->fd, file->bytes, sizeof file->bytes);
    if (len < 0)
        return error_set_errno(err, errno, "could not read it");
    *ret_bytes = file->bytes;
    *ret_len = (size_t)len;
    return true;
}

static bool check_file(int fd, struct error *err)
{
    struct stat st;
    if (fd < 0)
        return error_set_errno(err, errno, "could not open it");
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return error_set(err, ERROR_FAILED_PRECONDITION, "it is not a regular file");
    return true;
}

struct image_source *image_file_open(const char *path, const atomic_bool *cancelled,
                                     struct error *err)
{
    /* A named pipe in its place does not hold the worker up. */
    cleanup_close int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (!check_file(fd, err))
        return NULL;
    struct file_source *file = xcalloc(1, sizeof *file);
    file->source.read = read_file;
    file->cancelled = cancelled;
    file->fd = TAKE_FD(fd);
    return &file->source;
}

void image_file_close(struct image_source *source)
{
    struct file_source *file = (struct file_source *)source;
    if (!file)
        return;
    close(file->fd);
    free(file);
}

static size_t on_body(char *bytes, size_t size, size_t count, void *user)
{
    struct download *download = user;
    long status = 0;
    curl_easy_getinfo(download->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status == 200)
        text_add_bytes(&download->received, bytes, size * count);
    return size * count;
}

static void note_end(struct download *download)
{
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(download->multi, &left));)
        if (message->msg == CURLMSG_DONE) {
            download->has_ended = true;
            download->result = message->data.result;
        }
}

static bool check_end(struct download *download, struct error *err)
{
    long status = 0;
    curl_easy_getinfo(download->easy, CURLINFO_RESPONSE_CODE, &status);
    if (download->result != CURLE_OK)
        return error_set(err, ERROR_UNAVAILABLE, "%s",
                         *download->curl_error ? download->curl_error
                                               : curl_easy_strerror(download->result));
    if (status != 200)
        return error_set(err, status == 404 ? ERROR_NOT_FOUND : ERROR_UNAVAILABLE,
                         "the server answered with HTTP status %ld", status);
    return true;
}

static bool step(struct download *download, struct error *err)
{
    int running;
    if (!check_cancelled(download->cancelled, err) || !check_cancelled(&download->is_stopped, err))
        return false;
    CURLMcode code = curl_multi_perform(download->multi, &running);
    note_end(download);
    if (code == CURLM_OK && download->received.len == 0 && !download->has_ended)
        code = curl_multi_poll(download->multi, NULL, 0, CANCEL_CHECK_MS, NULL);
    return code == CURLM_OK ||
           error_set(err, ERROR_INTERNAL, "could not download: %s", curl_multi_strerror(code));
}

static bool read_download(struct image_source *source, const char **ret_bytes, size_t *ret_len,
                          struct error *err)
{
    struct download *download = (struct download *)source;
    text_clear(&download->received);
    while (download->received.len == 0 && !download->has_ended)
        if (!step(download, err))
            return false;
    if (download->received.len == 0 && !check_end(download, err))
        return false;
    *ret_bytes = text_string(&download->received);
    *ret_len = download->received.len;
    return true;
}

/* Noticed within CANCEL_CHECK_MS. */
static void stop_download(struct image_source *source)
{
    struct download *download = (struct download *)source;
    atomic_store(&download->is_stopped, true);
}

static void set_options(struct download *download, const char *url)
{
    CURL *easy = download->easy;
    const char *redirections = strncmp(url, "https:", 6) == 0 ? "https" : "http,https";
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, redirections);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1l);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, MAX_REDIRECTS);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1l);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, STALL_TIMEOUT_S);
    curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)IMAGE_MAX_BLOB_BYTES);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1l);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "eos");
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, download->curl_error);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, download);
}

struct image_source *image_download_open(const char *url, const atomic_bool *cancelled,
                                         struct error *err)
{
    struct download *download = xcalloc(1, sizeof *download);
    download->source = (struct image_source){ read_download, stop_download };
    download->cancelled = cancelled;
    download->multi = curl_multi_init();
    download->easy = curl_easy_init();
    if (!download->multi || !download->easy)
        abort();
    set_options(download, url);
    CURLMcode code = curl_multi_add_handle(download->multi, download->easy);
    if (code == CURLM_OK)
        return &download->source;
    error_set(err, ERROR_INTERNAL, "could not download: %s", curl_multi_strerror(code));
    image_download_close(&download->source);
    return NULL;
}

void image_download_close(struct image_source *source)
{
    struct download *download = (struct download *)source;
    if (!download)
        return;
    curl_multi_remove_handle(download->multi, download->easy);
    curl_easy_cleanup(download->easy);
    curl_multi_cleanup(download->multi);
    text_done(&download->received);
    free(download);
}
