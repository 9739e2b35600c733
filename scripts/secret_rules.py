#!/usr/bin/env python3
"""Write quality/data/secrets.tsv from gitleaks' own rules: scripts/secret_rules.py VERSION path/to/gitleaks.toml"""
import sys
import tomllib

# Rules that an answer can't be judged by: they go by a file's name or the place of a group, or need gitleaks' 1,400 stop words to tell examples apart.
LEFT_OUT = {"sonar-api-token", "generic-api-key", "pkcs12-file", "freemius-secret-key", "hashicorp-tf-password", "kubernetes-secret-yaml", "nuget-config-password"}

# One vendor's rules, not taken over.
VENDOR = "jfrog"

HEAD = """# Rules for secrets of gitleaks {version} (https://github.com/gitleaks/gitleaks, config/gitleaks.toml), by scripts/secret_rules.py.
# Copyright (c) 2019 Zachary Rice, MIT License: see gitleaks-LICENSE beside this file.
# Columns: rule, its kind of secret, keywords one of which is in each text that it finds (| between them), least Shannon entropy of the
# secret in bits a character (0: any), regular expression; or allow, a rule (* for all), regular expression of what is none.
# Left out: those of one vendor ({vendor}); and, as they go by a file's name or the place of a group, or need a list of words that are
# none: {left}.
"""


def main(version, path):
    with open(path, "rb") as f:
        config = tomllib.load(f)
    out = [HEAD.format(version=version, vendor=VENDOR, left=", ".join(sorted(LEFT_OUT))).rstrip("\n")]
    for rule in config["rules"]:
        if rule["id"] in LEFT_OUT or VENDOR in rule["description"].lower() + rule["regex"] or rule["regex"].startswith((r"\bAKCp", r"\bcmVmd")):
            continue
        line = ["rule", rule["id"], "|".join(k.lower() for k in rule["keywords"]), f"{rule.get('entropy', 0):g}", rule["regex"]]
        assert not any("\t" in x or "\n" in x for x in line), rule["id"]
        out.append("\t".join(line))
        for allow in rule.get("allowlists", []):
            assert allow.get("regexTarget", "secret") == "secret", rule["id"]
            out += ["\t".join(["allow", rule["id"], "", "", x]) for x in allow.get("regexes", [])]
    allow = config["allowlist"]
    out += ["\t".join(["allow", "*", "", "", x]) for x in allow["regexes"] + ["(?i)" + "|".join(allow["stopwords"])]]
    with open("quality/data/secrets.tsv", "w", encoding="utf-8") as f:
        f.write("\n".join(out) + "\n")


main(*sys.argv[1:])
