//! Compiles the C and C++ side of the rivals, against the sources that their crates bring.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=foreign");
    // What the build script of simdjson-sys leaves for us. It has compiled simdjson with every kernel, one of which
    // simdjson takes at run time.
    let simdjson = PathBuf::from(env::var_os("DEP_SIMDJSON_ROOT").expect("simdjson-sys says where it is"));
    cplusplus(&simdjson.join("include")).file("foreign/simdjson_dom.cpp").compile("rival_simdjson_dom");
    // The walk of On-Demand is chosen by the compiler, not at run time; so it gets this machine's.
    cplusplus(&simdjson.join("include"))
        .file("foreign/simdjson_ondemand.cpp")
        .flag_if_supported("-march=native")
        .compile("rival_simdjson_ondemand");
    // The readers of yyjson are inline functions of its header, which a call from Rust would not be.
    cc::Build::new().include(yyjson()).file("foreign/yyjson.c").compile("rival_yyjson");
}

fn cplusplus(include: &Path) -> cc::Build {
    let mut build = cc::Build::new();
    build.cpp(true).std("c++17").include(include).define("NDEBUG", None).warnings(false);
    build
}

/// The folder of yyjson's header. Its crate does not tell, so cargo is asked where the crate is.
fn yyjson() -> PathBuf {
    let variable = |name| env::var(name).expect("cargo sets it for build scripts");
    let arguments = ["metadata", "--format-version", "1", "--filter-platform", &variable("TARGET")];
    let output = Command::new(variable("CARGO")).args(arguments).output().expect("cargo runs");
    let metadata = String::from_utf8(output.stdout).expect("cargo writes UTF-8");
    let manifest = metadata.split('"').find(|text| text.ends_with("Cargo.toml") && text.contains("yyjson-sys-"));
    let manifest = manifest.expect("cargo knows yyjson-sys").replace("\\\\", "\\");
    Path::new(&manifest).with_file_name("yyjson").join("src")
}
