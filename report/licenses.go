package report

import (
	"net/url"
	"slices"
	"strings"
)

// hubLicenses are the identifiers that the Hugging Face hub knows (its page "Repository licenses"); others are written as "other"
// with their name.
var hubLicenses = strings.Fields(`apache-2.0 mit openrail bigscience-openrail-m creativeml-openrail-m bigscience-bloom-rail-1.0
bigcode-openrail-m afl-3.0 artistic-2.0 bsl-1.0 bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear c-uda cc cc0-1.0 cc-by-2.0 cc-by-2.5
cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nd-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0
cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cdla-sharing-1.0 cdla-permissive-1.0 cdla-permissive-2.0 wtfpl ecl-2.0 epl-1.0 epl-2.0
etalab-2.0 eupl-1.1 eupl-1.2 agpl-3.0 gfdl gpl gpl-2.0 gpl-3.0 lgpl lgpl-2.1 lgpl-3.0 isc h-research intel-research lppl-1.3c ms-pl
apple-ascl apple-amlr mpl-2.0 odc-by odbl openmdw-1.0 openrail++ osl-3.0 postgresql ofl-1.1 ncsa unlicense zlib pddl lgpl-lr
deepfloyd-if-license fair-noncommercial-research-license llama2 llama3 llama3.1 llama3.2 llama3.3 llama4 grok2-community gemma unknown`)

// hubLicense is the hub's identifier of a licence: "unknown" where none is given, "other" where the hub has none for it.
func hubLicense(name string) string {
	id := strings.ToLower(strings.TrimSpace(name))
	switch {
	case id == "":
		return "unknown"
	case slices.Contains(hubLicenses, id):
		return id
	}
	return "other"
}

// licenseURL is an address for a licence: its own where it is one, else that of its page at SPDX or the hub.
func licenseURL(name string) string {
	name = strings.TrimSpace(name)
	if u, err := url.Parse(name); err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" {
		return name
	}
	if id := hubLicense(name); id != "other" && id != "unknown" {
		if spdx, ok := spdxNames[id]; ok {
			return "https://spdx.org/licenses/" + spdx + ".html"
		}
	}
	return ""
}

// spdxNames are SPDX's spellings of the commonest.
var spdxNames = map[string]string{"apache-2.0": "Apache-2.0", "mit": "MIT", "bsd-2-clause": "BSD-2-Clause", "bsd-3-clause": "BSD-3-Clause",
	"cc0-1.0": "CC0-1.0", "cc-by-2.0": "CC-BY-2.0", "cc-by-3.0": "CC-BY-3.0", "cc-by-4.0": "CC-BY-4.0", "cc-by-sa-3.0": "CC-BY-SA-3.0",
	"cc-by-sa-4.0": "CC-BY-SA-4.0", "cc-by-nc-4.0": "CC-BY-NC-4.0", "cc-by-nc-sa-4.0": "CC-BY-NC-SA-4.0", "cc-by-nd-4.0": "CC-BY-ND-4.0",
	"cc-by-nc-nd-4.0": "CC-BY-NC-ND-4.0", "cdla-permissive-2.0": "CDLA-Permissive-2.0", "cdla-permissive-1.0": "CDLA-Permissive-1.0",
	"cdla-sharing-1.0": "CDLA-Sharing-1.0", "odc-by": "ODC-By-1.0", "odbl": "ODbL-1.0", "pddl": "PDDL-1.0", "mpl-2.0": "MPL-2.0",
	"gpl-3.0": "GPL-3.0-only", "gpl-2.0": "GPL-2.0-only", "agpl-3.0": "AGPL-3.0-only", "unlicense": "Unlicense", "isc": "ISC"}
