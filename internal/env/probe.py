# Prints what Sallyport needs to know about the interpreter that runs it, as JSON.
import glob, importlib, json, os, platform, sys, sysconfig

real = os.path.realpath
base = getattr(sys, "_base_executable", None) or sys.executable

# Every folder that the interpreter reads, including those of the shared
# libraries that its own extension modules load.
for name in ("_ssl", "_hashlib", "_ctypes", "_sqlite3", "_lzma", "_bz2", "zlib", "_decimal", "_uuid", "_curses", "readline"):
    try:
        importlib.import_module(name)
    except Exception:
        pass
folders = {real(sys.base_prefix), real(sys.base_exec_prefix), os.path.dirname(real(base))}
folders.update(real(p) for p in (sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")) if p)
try:
    with open("/proc/self/maps") as maps:
        for line in maps:
            path = line.split(maxsplit=5)[5:]
            if path and path[0].startswith("/") and ".so" in path[0]:
                folders.add(os.path.dirname(real(path[0].strip())))
except OSError:
    pass
folders = sorted(f for f in folders if f != "/" and os.path.isdir(f))
folders = [f for f in folders if not any(f != g and f.startswith(g + "/") for g in folders)]

# Where pip can be run from: its own folder, or the wheel that Python carries.
pip = ""
try:
    import pip as module
    pip = os.path.dirname(real(module.__file__))
except Exception:
    try:
        import ensurepip
        wheels = glob.glob(os.path.join(os.path.dirname(ensurepip.__file__), "_bundled", "pip-*.whl"))
        wheels += glob.glob(os.path.join(sysconfig.get_config_var("WHEEL_PKG_DIR") or "/nonexistent", "pip-*.whl"))
        pip = os.path.join(wheels[0], "pip") if wheels else ""
    except Exception:
        pass

def full_version(info):
    kind = info.releaselevel
    return "%d.%d.%d" % info[:3] + ("" if kind == "final" else kind[0].replace("c", "rc") + str(info.serial))

libc = platform.libc_ver()[0] or ("musl" if sys.platform == "linux" else "")
print(json.dumps({
    "executable": real(base),
    "implementation": sys.implementation.name,
    "version": platform.python_version().rstrip("+"),
    "platform": sysconfig.get_platform() + ("-" + libc if libc else ""),
    "prefixes": folders,
    "pip": pip,
    "markers": {
        "os_name": os.name,
        "sys_platform": sys.platform,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_version": "%d.%d" % sys.version_info[:2],
        "python_full_version": platform.python_version().rstrip("+"),
        "implementation_name": sys.implementation.name,
        "implementation_version": full_version(sys.implementation.version),
    },
}))
