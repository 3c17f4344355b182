# Prints as JSON pip's version, and what its configuration says about where
# packages come from. Everything else (constraints, targets, binaries) is left.
import ast, json, os, subprocess, sys

sys.path.insert(0, os.path.dirname(sys.argv[1]))
import pip

names = {"index-url", "extra-index-url", "find-links", "no-index", "trusted-host", "cert", "client-cert", "proxy",
         "timeout", "default-timeout", "retries", "cache-dir", "no-cache-dir", "keyring-provider"}
found = {}
lines = subprocess.run([sys.executable, sys.argv[1], "config", "list"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                       universal_newlines=True).stdout.splitlines()
# pip lets a command's section win over the global one, and the environment over both.
for section in ("global.", "install.", ":env:."):
    for line in lines:
        key, equals, value = line.partition("=")
        name = key[len(section):].replace("_", "-")
        if equals and key.startswith(section) and name in names:
            found[name] = " ".join(ast.literal_eval(value).split())
print(json.dumps({"version": pip.__version__, "settings": found}))
