#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| adit_fuzzing::run("account_file", data));
