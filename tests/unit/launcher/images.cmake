foreach(file aci config digest manifest name path)
    unit_test(launcher/image_${file} image_core)
endforeach()
