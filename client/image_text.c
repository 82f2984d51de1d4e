#include "client/image_text.h"

#include "client/output.h"

#include <time.h>

typedef Eos__Job__V1__ImageBinding binding_message;
typedef Eos__Binder__V1__InspectResponse inspect_response;
typedef Eos__Binder__V1__ImageConfig image_config;

static void add_time(struct text *out, int64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm parts;
    char text[32] = "";
    if (localtime_r(&seconds, &parts))
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
    text_add(out, text);
}

/* -- records -------------------------------------------------------------------------------------- */

static void add_record(struct text *out, const binding_message *binding)
{
    text_printf(out, "\t%s\n\t  bound to: %s\n\t  registry: %s, repository %s", binding->reference,
                binding->resolved, binding->registry, binding->repository);
    if (binding->tag[0])
        text_printf(out, ", tag %s", binding->tag);
    text_printf(out, "\n\t  manifest: %s, %lld bytes", binding->media_type,
                (long long)binding->size_bytes);
    if (binding->platform[0])
        text_printf(out, ", for %s", binding->platform);
    text_add(out, "\n\t  resolved: ");
    add_time(out, binding->resolved_at_ms);
    text_printf(out, ", authentication: %s\n", binding->authentication);
    if (binding->signed_by[0])
        text_printf(out, "\t  signed by: %s (%s)\n", binding->signed_by, binding->signing_key_id);
}

void image_records_add(struct text *out, binding_message *const *bindings, size_t count)
{
    cleanup_text struct text plain = TEXT_INIT;
    text_printf(&plain, "Images (%zu):\n", count);
    for (size_t i = 0; i < count; i++)
        add_record(&plain, bindings[i]);
    output_add_printable(out, text_string(&plain));
}

/* -- details -------------------------------------------------------------------------------------- */

const char *image_size_text(int64_t bytes, struct arena *arena)
{
    static const char *const units[] = { "bytes", "kB", "MB", "GB", "TB" };
    double value = (double)bytes;
    size_t unit = 0;
    while (value >= 1000 && unit + 1 < sizeof units / sizeof units[0]) {
        value /= 1000;
        unit++;
    }
    return arena_printf(arena, unit > 0 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

/* Nothing for what is not set. */
static void add_line(struct text *out, const char *name, const char *value)
{
    if (!value[0])
        return;
    text_printf(out, "%-13s", name);
    for (const char *c = value; *c; c++) /* a line break would make it look like another line */
        text_add_char(out, *c == '\n' || *c == '\t' ? ' ' : *c);
    text_add_char(out, '\n');
}

/* The words of a command as JSON, so that one can see where each ends. */
static void add_words(struct text *out, const char *name, char *const *words, size_t count)
{
    cleanup_text struct text list = TEXT_INIT;
    if (count == 0)
        return;
    for (size_t i = 0; i < count; i++) {
        text_add(&list, i > 0 ? ", " : "[");
        text_add_json_string(&list, slice_of(words[i]));
    }
    text_add_char(&list, ']');
    add_line(out, name, text_string(&list));
}

static void add_each(struct text *out, const char *name, char *const *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add_line(out, i > 0 ? "" : name, values[i]);
}

static void add_config(struct text *out, const image_config *config, struct arena *arena)
{
    add_line(out, "created", config->created);
    add_line(out, "author", config->author);
    add_line(out, "user", config->user);
    add_line(out, "directory", config->working_dir);
    add_words(out, "entrypoint", config->entrypoint, config->n_entrypoint);
    add_words(out, "command", config->cmd, config->n_cmd);
    add_line(out, "stop signal", config->stop_signal);
    add_each(out, "environment", config->env, config->n_env);
    add_each(out, "ports", config->exposed_ports, config->n_exposed_ports);
    add_each(out, "volumes", config->volumes, config->n_volumes);
    for (size_t i = 0; i < config->n_labels; i++)
        add_line(out, i > 0 ? "" : "labels",
                 arena_printf(arena, "%s=%s", config->labels[i]->name, config->labels[i]->value));
}

static void add_manifests(struct text *out, const inspect_response *image, struct arena *arena)
{
    for (size_t i = 0; i < image->n_manifests; i++) {
        const Eos__Binder__V1__ImageManifest *entry = image->manifests[i];
        const char *platform = entry->is_attestation ? "(attestation)"
                               : !entry->platform[0] ? "(no platform)"
                                                     : entry->platform;
        add_line(out, i > 0 ? "" : "holds", arena_printf(arena, "%s %s", platform, entry->digest));
    }
}

static void add_layers(struct text *out, const inspect_response *image, struct arena *arena)
{
    for (size_t i = 0; i < image->n_layers; i++) {
        const Eos__Binder__V1__ImageLayer *layer = image->layers[i];
        add_line(out, i > 0 ? "" : "layers",
                 arena_printf(arena, "%s %s %s", layer->digest,
                              image_size_text(layer->size_bytes, arena), layer->media_type));
    }
}

void image_details_add(struct text *out, const inspect_response *image, struct arena *arena)
{
    cleanup_text struct text plain = TEXT_INIT;
    if (image->binding) {
        add_line(&plain, "name", image->binding->resolved);
        add_line(&plain, "digest", image->binding->digest);
        add_line(&plain, "type", image->binding->media_type);
    }
    add_manifests(&plain, image, arena);
    if (image->manifest) {
        add_line(&plain, "platform", image->manifest->platform);
        if (image->n_manifests > 0)
            add_line(&plain, "manifest", image->manifest->digest);
        add_line(&plain, "config", image->config_digest);
        add_line(&plain, "size",
                 arena_printf(arena, "%s in %zu layer%s", image_size_text(image->size_bytes, arena),
                              image->n_layers, image->n_layers == 1 ? "" : "s"));
    }
    if (image->config)
        add_config(&plain, image->config, arena);
    add_layers(&plain, image, arena);
    output_add_printable(out, text_string(&plain));
}

/* -- signatures ----------------------------------------------------------------------------------- */

void image_verified_add(struct text *out, const Eos__Binder__V1__VerifyResponse *image)
{
    cleanup_text struct text plain = TEXT_INIT;
    const binding_message *binding = image->binding;
    if (!binding)
        return;
    add_line(&plain, "name", binding->resolved);
    add_line(&plain, "signed by", binding->signed_by);
    add_line(&plain, "key", binding->signing_key_id);
    add_line(&plain, "algorithm", image->algorithm);
    add_line(&plain, "form", image->form);
    add_line(&plain, "found as", image->found);
    add_line(&plain, "signature", image->signature_digest);
    add_line(&plain, "policy", image->policy);
    output_add_printable(out, text_string(&plain));
}
