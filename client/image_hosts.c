#include "client/image_hosts.h"

#include "client/image.h"
#include "client/image_text.h"
#include "client/output.h"
#include "client/problem.h"
#include "client/table.h"
#include "json/message_json.h"

#include <time.h>

typedef Eos__Gateway__V1__AllImagesResponse all_images;
typedef Eos__Gateway__V1__HostImages host_images;
typedef Eos__Gateway__V1__AllPrunedResponse all_pruned;
typedef Eos__Gateway__V1__HostPruned host_pruned;
typedef Eos__Launcher__V1__Image image_message;

/* -- what all share ------------------------------------------------------------------------------- */

void image_hosts_add_path(struct text *path, const char *host, const char *action)
{
    text_add(path, "/v1/");
    if (host) {
        text_add(path, "hosts/");
        http_add_escaped(path, host);
        text_add_char(path, '/');
    }
    text_printf(path, "images%s", action);
}

void image_hosts_complain(const char *host, enum error_code code, const char *message,
                          enum exit_status *status)
{
    cleanup_text struct text out = TEXT_INIT;
    output_add_printable(&out, host);
    text_add(&out, ": ");
    output_add_printable(&out, message);
    output_note("eos: host %s", text_string(&out));
    if (*status == STATUS_OK)
        *status = exit_status_of(code);
}

bool image_hosts_find(const struct invocation *invocation, struct gateway *gateway,
                      Eos__Scheduler__V1__Host ***ret_hosts, size_t *ret_count,
                      enum exit_status *status)
{
    ProtobufCMessage *message;
    struct error err;
    if (!gateway_call(gateway, "GET", "/v1/hosts", NULL,
                      &eos__scheduler__v1__list_hosts_response__descriptor, invocation->arena,
                      &message, &err)) {
        *status = output_complain(exit_status_of(err.code), &err);
        return false;
    }
    const Eos__Scheduler__V1__ListHostsResponse *all =
        (const Eos__Scheduler__V1__ListHostsResponse *)message;
    Eos__Scheduler__V1__Host **hosts =
        arena_array(invocation->arena, all->n_hosts, sizeof(Eos__Scheduler__V1__Host *));
    const char *wanted = invocation->flags->host;
    *ret_count = 0;
    for (size_t i = 0; i < all->n_hosts; i++) {
        Eos__Scheduler__V1__Host *host = all->hosts[i];
        if (wanted && strcmp(wanted, host->hostname) != 0 && strcmp(wanted, host->host_id) != 0)
            continue;
        if (host->is_connected)
            hosts[(*ret_count)++] = host;
        else
            image_hosts_complain(host->hostname, ERROR_UNAVAILABLE, "it is not connected", status);
    }
    *ret_hosts = hosts;
    if (*ret_count > 0 || *status != STATUS_OK)
        return true;
    error_set(&err, ERROR_NOT_FOUND, wanted ? "there is no host \"%.100s\"" : "there is no host",
              wanted ? wanted : "");
    *status = output_complain(exit_status_of(err.code), &err);
    return false;
}

/* One host answers for itself, all of them in a list. */
static bool call(const struct invocation *invocation, struct gateway *gateway, const char *method,
                 const char *action, const ProtobufCMessage *request,
                 const ProtobufCMessageDescriptor *one, const ProtobufCMessageDescriptor *all,
                 ProtobufCMessage **ret_response, struct error *err)
{
    cleanup_text struct text path = TEXT_INIT;
    const char *host = invocation->flags->host;
    image_hosts_add_path(&path, host, action);
    return gateway_call(gateway, method, text_string(&path), request, host ? one : all,
                        invocation->arena, ret_response, err);
}

/* -- list ----------------------------------------------------------------------------------------- */

static const char *age_of(int64_t at_ms, struct arena *arena)
{
    static const struct {
        int64_t seconds;
        char unit;
    } units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
    int64_t seconds = (int64_t)time(NULL) - at_ms / 1000;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (seconds >= units[i].seconds)
            return arena_printf(arena, "%lld%c", (long long)(seconds / units[i].seconds),
                                units[i].unit);
    return "now";
}

static void add_row(struct table *table, const char *host, const image_message *image,
                    const char *name, bool is_imported, struct arena *arena)
{
    table_add(table, host);
    table_add(table, name);
    table_add(table, arena_printf(arena, "%.19s", image->digest));
    table_add(table, image_size_text(image->size_bytes, arena));
    table_add(table, age_of(image->last_used_at_ms, arena));
    table_add(table, image->is_used && is_imported ? "used, imported"
                     : image->is_used              ? "used"
                     : is_imported                 ? "imported"
                                                   : "");
}

static void add_image(struct table *table, const char *host, const image_message *image,
                      struct arena *arena)
{
    for (size_t i = 0; i < image->n_names; i++)
        add_row(table, host, image, image->names[i]->name, image->names[i]->is_imported, arena);
    if (image->n_names == 0)
        add_row(table, host, image, "-", false, arena);
}

static void complain_of(const char *host, const Eos__Gateway__V1__HostError *error,
                        enum exit_status *status)
{
    if (error)
        image_hosts_complain(host, problem_code(error->code), error->message, status);
}

static enum exit_status print_images(const all_images *answer, const struct invocation *invocation)
{
    static const char *const headings[] = { "HOST",      "IMAGE", "DIGEST", "SIZE",
                                            "LAST USED", "STATE", NULL };
    cleanup_text struct text out = TEXT_INIT;
    enum exit_status status = STATUS_OK;
    struct table *table = table_new(headings);
    for (size_t i = 0; i < answer->n_hosts; i++) {
        const host_images *host = answer->hosts[i];
        complain_of(host->host, host->error, &status);
        for (size_t k = 0; host->response && k < host->response->n_images; k++)
            add_image(table, host->host, host->response->images[k], invocation->arena);
    }
    if (flags_want_json(invocation->flags))
        message_to_json_pretty(&answer->base, &out);
    else
        table_format(table, output_has_colour(STDOUT_FILENO), &out);
    table_free(table);
    enum exit_status printed = output_print(&out);
    return printed == STATUS_OK ? status : printed;
}

enum exit_status image_list(const struct invocation *invocation)
{
    struct error err;
    ProtobufCMessage *message;
    cleanup_gateway struct gateway *gateway =
        gateway_open(invocation, invocation->flags->cluster, &err);
    if (!gateway)
        return output_complain(STATUS_INVALID_CONFIGURATION, &err);
    if (!call(invocation, gateway, "GET", "", NULL,
              &eos__launcher__v1__list_images_response__descriptor,
              &eos__gateway__v1__all_images_response__descriptor, &message, &err))
        return output_complain(exit_status_of(err.code), &err);
    if (!invocation->flags->host)
        return print_images((const all_images *)message, invocation);
    host_images host = EOS__GATEWAY__V1__HOST_IMAGES__INIT, *hosts[] = { &host };
    all_images all = EOS__GATEWAY__V1__ALL_IMAGES_RESPONSE__INIT;
    host.host = (char *)invocation->flags->host;
    host.response = (Eos__Launcher__V1__ListImagesResponse *)message;
    all.hosts = hosts;
    all.n_hosts = 1;
    return print_images(&all, invocation);
}

/* -- prune ---------------------------------------------------------------------------------------- */

static void add_removed(struct text *out, const host_pruned *host, bool is_dry, struct arena *arena)
{
    const Eos__Launcher__V1__PruneImagesResponse *response = host->response;
    for (size_t i = 0; i < response->n_removed; i++) {
        const image_message *image = response->removed[i];
        output_add_printable(out, host->host);
        text_printf(out, " %s", is_dry ? "would remove " : "removed ");
        for (size_t k = 0; k < image->n_names; k++) {
            output_add_printable(out, image->names[k]->name);
            text_add_char(out, ' ');
        }
        output_add_printable(out, image->digest);
        text_add_char(out, '\n');
    }
    output_add_printable(out, host->host);
    text_printf(out, " %s %s, %s left\n", is_dry ? "would free" : "freed",
                image_size_text(response->freed_bytes, arena),
                image_size_text(response->total_bytes, arena));
}

static bool is_unknown(const host_pruned *host, const char *image)
{
    for (size_t i = 0; i < host->response->n_unknown; i++)
        if (strcmp(host->response->unknown[i], image) == 0)
            return true;
    return false;
}

/* That one host does not have an image is no mistake; that none has it is. */
static void complain_of_unknown(const all_pruned *answer, enum exit_status *status)
{
    const host_pruned *first = NULL;
    for (size_t i = 0; i < answer->n_hosts && !first; i++)
        first = answer->hosts[i]->response ? answer->hosts[i] : NULL;
    for (size_t i = 0; first && i < first->response->n_unknown; i++) {
        bool is_everywhere = true;
        for (size_t k = 0; k < answer->n_hosts; k++)
            is_everywhere &= !answer->hosts[k]->response ||
                             is_unknown(answer->hosts[k], first->response->unknown[i]);
        if (!is_everywhere)
            continue;
        output_note("eos: no host has the image %s", first->response->unknown[i]);
        if (*status == STATUS_OK)
            *status = exit_status_of(ERROR_NOT_FOUND);
    }
}

static void complain_of_used(const host_pruned *host, enum exit_status *status)
{
    for (size_t i = 0; i < host->response->n_used; i++) {
        cleanup_text struct text message = TEXT_INIT;
        text_printf(&message, "%s is used by a task", host->response->used[i]);
        if (*status == STATUS_OK)
            *status = STATUS_COMMAND_FAILURE;
        image_hosts_complain(host->host, ERROR_FAILED_PRECONDITION, text_string(&message), status);
    }
}

static enum exit_status print_pruned(const all_pruned *answer, const struct invocation *invocation)
{
    cleanup_text struct text out = TEXT_INIT;
    enum exit_status status = STATUS_OK;
    for (size_t i = 0; i < answer->n_hosts; i++) {
        const host_pruned *host = answer->hosts[i];
        complain_of(host->host, host->error, &status);
        if (!host->response)
            continue;
        complain_of_used(host, &status);
        add_removed(&out, host, invocation->flags->dry_run, invocation->arena);
    }
    complain_of_unknown(answer, &status);
    if (flags_want_json(invocation->flags)) {
        text_clear(&out);
        message_to_json_pretty(&answer->base, &out);
    }
    enum exit_status printed = output_print(&out);
    return printed == STATUS_OK ? status : printed;
}

static Eos__Launcher__V1__PruneImagesRequest prune_request(const struct invocation *invocation)
{
    Eos__Launcher__V1__PruneImagesRequest request = EOS__LAUNCHER__V1__PRUNE_IMAGES_REQUEST__INIT;
    request.images = (char **)invocation->arguments;
    request.n_images = (size_t)invocation->argument_count;
    request.unused_ms = invocation->flags->unused_ms;
    request.keep_bytes = invocation->flags->keep_bytes;
    request.with_imported = invocation->flags->with_imported;
    request.dry_run = invocation->flags->dry_run;
    return request;
}

enum exit_status image_prune(const struct invocation *invocation)
{
    struct error err;
    ProtobufCMessage *message;
    const Eos__Launcher__V1__PruneImagesRequest request = prune_request(invocation);
    cleanup_gateway struct gateway *gateway =
        gateway_open(invocation, invocation->flags->cluster, &err);
    if (!gateway)
        return output_complain(STATUS_INVALID_CONFIGURATION, &err);
    if (!call(invocation, gateway, "POST", ":prune", &request.base,
              &eos__launcher__v1__prune_images_response__descriptor,
              &eos__gateway__v1__all_pruned_response__descriptor, &message, &err))
        return output_complain(exit_status_of(err.code), &err);
    if (!invocation->flags->host)
        return print_pruned((const all_pruned *)message, invocation);
    host_pruned host = EOS__GATEWAY__V1__HOST_PRUNED__INIT, *hosts[] = { &host };
    all_pruned all = EOS__GATEWAY__V1__ALL_PRUNED_RESPONSE__INIT;
    host.host = (char *)invocation->flags->host;
    host.response = (Eos__Launcher__V1__PruneImagesResponse *)message;
    all.hosts = hosts;
    all.n_hosts = 1;
    return print_pruned(&all, invocation);
}
