# The image store: image_core computes only, image_store has the loop, the disk and the network.
add_library(image_core STATIC
    image_aci.c
    image_aci_name.c
    image_config.c
    image_digest.c
    image_discovery.c
    image_html.c
    image_gc.c
    image_json.c
    image_manifest.c
    image_name.c
    image_path.c
    image_pins.c)
target_include_directories(image_core PUBLIC ${CMAKE_SOURCE_DIR}/services)
target_link_libraries(image_core PUBLIC common_registry_core
    PRIVATE eos_warnings)

add_library(image_unpack STATIC
    image_filter.c
    image_gzip.c
    image_inflate.c
    image_relay.c
    image_tree.c
    image_unpack.c
    image_writer.c
    image_xz.c
    image_zstd.c)
target_link_libraries(image_unpack PUBLIC image_core PkgConfig::ARCHIVE
    PRIVATE PkgConfig::ISAL PkgConfig::LZMA PkgConfig::UV PkgConfig::ZSTD eos_warnings)

add_library(image_store STATIC
    image_appc.c
    image_collect.c
    image_directory.c
    image_file.c
    image_fill.c
    image_find.c
    image_flight.c
    image_index.c
    image_keeper.c
    image_parts.c
    image_pipe.c
    image_pull.c
    image_sizes.c
    image_store.c
    image_upload.c
    image_unsynced.c
    image_web.c
    image_whitelist.c)
target_link_libraries(image_store PUBLIC image_unpack common_registry common_io proto PkgConfig::UV PkgConfig::CURL
    PRIVATE eos_warnings)
