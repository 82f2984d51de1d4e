#include "launcher/image_find.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "launcher/image_digest.h"
#include "launcher/image_discovery.h"
#include "launcher/image_file.h"
#include "launcher/image_limits.h"

#define MAX_RECORD_BYTES 1024

struct image_found {
    const struct image_find *find;
    struct arena *arena;
    const char *record;    /* the name of the file that remembers the place */
    const char *known_id;  /* what the place had when it was remembered; "" */
    const char *validator; /* … and what told that it is the same; "" */
    bool is_known;         /* it still has it */
    struct image_web_answer *answer;
    struct image_source *file;
    const char *file_validator;
};

/* -- what is remembered --------------------------------------------------------------------------- */

/* "ID\nVALIDATOR\n" under the digest of the place. */
static void recall(struct image_found *found, const char *place)
{
    char digest[IMAGE_DIGEST_BYTES];
    struct error ignored;
    cleanup_text struct text record = TEXT_INIT;
    image_digest_of(IMAGE_SHA256, slice_of(place), digest);
    found->record = arena_printf(found->arena, "aci-%s", digest + sizeof "sha256:" - 1);
    found->known_id = found->validator = "";
    if (!found->find->may_be_known ||
        !image_directory_read(found->find->directory, IMAGE_FOLDER_REFERENCES, found->record,
                              MAX_RECORD_BYTES, &record, &ignored))
        return;
    struct slice rest = text_slice(&record), id = slice_split(&rest, '\n'),
                 validator = slice_split(&rest, '\n');
    const char *known = arena_memdup0(found->arena, id.ptr, id.len);
    if (!rest.ptr || !image_digest_is(IMAGE_SHA512, id) ||
        !image_directory_has(found->find->directory, IMAGE_FOLDER_APPC, known))
        return;
    found->known_id = known;
    found->validator = arena_memdup0(found->arena, validator.ptr, validator.len);
}

void image_found_remember(const struct image_found *found, const char *id)
{
    struct error ignored;
    const char *validator =
        found->answer ? image_web_validator(found->answer) : found->file_validator;
    if (found->is_known || !found->find->may_be_known || !*validator)
        return;
    const char *record = arena_printf(found->arena, "%s\n%s\n", id, validator);
    (void)!image_directory_write(found->find->directory, IMAGE_FOLDER_REFERENCES, found->record,
                                 slice_of(record), &ignored);
}

/* -- one place ------------------------------------------------------------------------------------ */

static bool open_file(struct image_found *found, const char *path, struct error *err)
{
    char validator[IMAGE_FILE_VALIDATOR_BYTES];
    struct image_source *file =
        image_file_open(path, found->find->max_bytes, found->find->cancelled, validator, err);
    if (!file)
        return error_prefix(err, "%s", path);
    found->file = file;
    found->file_validator = arena_strdup(found->arena, validator);
    found->is_known = *found->known_id && strcmp(validator, found->validator) == 0;
    return true;
}

static bool open_url(struct image_found *found, const char *url, struct error *err)
{
    struct image_web_request request = {
        .url = url,
        .known = found->validator,
        .max_bytes = found->find->max_bytes,
        .cancelled = found->find->cancelled,
    };
    struct image_web_answer *answer = image_web_get(found->find->web, &request, err);
    if (!answer)
        return false;
    unsigned status = image_web_status(answer);
    found->is_known = status == 304 && *found->known_id;
    if (status == 200 || found->is_known) {
        found->answer = answer;
        return true;
    }
    image_web_refuse(answer, err);
    image_web_close(answer);
    return false;
}

static bool open_place(struct image_found *found, const struct image_aci_place *place,
                       struct error *err)
{
    recall(found, place->path ? place->path : place->url);
    return place->path ? open_file(found, place->path, err) : open_url(found, place->url, err);
}

/* -- meta discovery ------------------------------------------------------------------------------- */

static bool read_page(struct image_web_answer *answer, struct text *html, struct error *err)
{
    const char *bytes = "";
    size_t len = 1;
    while (len > 0) {
        if (!image_web_source(answer)->read(image_web_source(answer), &bytes, &len, err))
            return false;
        text_add_bytes(html, bytes, len);
    }
    return true;
}

static struct image_web_answer *get_page(struct image_found *found, struct slice name,
                                         const char *scheme, bool is_tried_once, struct error *err)
{
    struct image_web_request request = {
        .url = arena_printf(found->arena, "%s://%.*s?ac-discovery=1", scheme, SLICE_ARG(name)),
        .known = "",
        .max_bytes = IMAGE_MAX_DISCOVERY_BYTES,
        .is_tried_once = is_tried_once,
        .cancelled = found->find->cancelled,
    };
    return image_web_get(found->find->web, &request, err);
}

/* Plain HTTP only where that is permitted, and nobody speaks TLS. */
static struct image_web_answer *ask_host(struct image_found *found, struct slice name,
                                         struct error *err)
{
    bool is_plain =
        image_web_permits_plain(found->find->web,
                                arena_printf(found->arena, "http://%.*s", SLICE_ARG(name)));
    struct image_web_answer *answer = get_page(found, name, "https", is_plain, err);
    if (answer || !is_plain || err->code != ERROR_UNAVAILABLE)
        return answer;
    return get_page(found, name, "http", false, err);
}

/* Gives what the page of this name says; a page that is not there says nothing. */
static bool read_discovery(struct image_found *found, struct slice name,
                           struct image_discovery *ret_discovery, struct error *err)
{
    cleanup_text struct text html = TEXT_INIT;
    *ret_discovery = (struct image_discovery){ 0 };
    struct image_web_answer *answer = ask_host(found, name, err);
    if (!answer)
        return false;
    bool ok = image_web_status(answer) != 200 || read_page(answer, &html, err);
    if (ok && html.len > 0)
        image_discovery_read(text_slice(&html), &found->find->name, found->arena, ret_discovery);
    image_web_close(answer);
    return ok;
}

static bool discover(struct image_found *found, struct image_discovery *ret_discovery,
                     struct error *err)
{
    struct slice at = slice_of(found->find->name.name);
    do {
        if (!read_discovery(found, at, ret_discovery, err))
            return error_prefix(err, "meta discovery");
        if (ret_discovery->has_tags)
            break;
    } while (image_discovery_parent(&at));
    if (ret_discovery->url_count > 0)
        return true;
    return error_set(err, ERROR_NOT_FOUND,
                     ret_discovery->has_tags
                         ? "meta discovery: no \"ac-discovery\" tag is for this name and labels"
                         : "meta discovery: the host has no \"ac-discovery\" tags");
}

/* -- all places ----------------------------------------------------------------------------------- */

static bool open_simply(struct image_found *found, struct error *err)
{
    struct image_aci_place place;
    return image_discovery_simple(&found->find->name, found->find->prefix, found->arena, &place,
                                  err) &&
           open_place(found, &place, err);
}

static bool open_discovered(struct image_found *found, struct error *err)
{
    struct image_discovery places;
    if (!discover(found, &places, err))
        return false;
    for (size_t i = 0; i < places.url_count; i++) {
        const struct image_aci_place place = { .url = places.urls[i] };
        if (open_place(found, &place, err))
            return true;
        if (err->code == ERROR_CANCELLED)
            break;
    }
    return false;
}

static bool open_any(struct image_found *found, struct error *err)
{
    const struct image_find *find = found->find;
    if (!find->prefix)
        return open_discovered(found, err);
    return open_simply(found, err) ||
           (find->asks_host && err->code == ERROR_NOT_FOUND && open_discovered(found, err));
}

struct image_found *image_find(const struct image_find *find, struct error *err)
{
    struct image_found *found = xcalloc(1, sizeof *found);
    found->find = find;
    found->arena = arena_new();
    found->known_id = found->validator = found->file_validator = "";
    if (open_any(found, err))
        return found;
    image_found_close(found);
    return NULL;
}

void image_found_close(struct image_found *found)
{
    if (!found)
        return;
    image_web_close(found->answer);
    image_file_close(found->file);
    arena_free(found->arena);
    free(found);
}

struct image_source *image_found_source(struct image_found *found, const char **ret_id)
{
    *ret_id = found->known_id;
    if (found->is_known)
        return NULL;
    return found->answer ? image_web_source(found->answer) : found->file;
}
