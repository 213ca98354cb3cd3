#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| adit_fuzzing::run("radius_packet", data));
