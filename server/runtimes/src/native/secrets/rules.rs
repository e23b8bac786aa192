//! The formats of well-known credentials.
//!
//! Most services publish them so that scanners can tell: a fixed prefix, an alphabet, a length.

use super::super::finding::Severity;

/// One format.
pub(super) struct Rule {
    /// For programs.
    pub(super) id: &'static str,
    /// For people.
    pub(super) title: &'static str,
    /// In lowercase; the pattern is only tried on lines that hold one of them, in any case.
    pub(super) keywords: &'static [&'static str],
    /// The first group is the value.
    pub(super) pattern: &'static str,
    pub(super) confidence: Severity,
    /// In bits for each character.
    pub(super) least_entropy: f64,
}

const fn token(
    id: &'static str,
    title: &'static str,
    keywords: &'static [&'static str],
    pattern: &'static str,
) -> Rule {
    Rule { id, title, keywords, pattern, confidence: Severity::High, least_entropy: 3.0 }
}

const fn likely(rule: Rule) -> Rule {
    Rule { confidence: Severity::Medium, ..rule }
}

pub(super) static RULES: &[Rule] = &[
    token(
        "anthropic-key",
        "Anthropic key",
        &["sk-ant-"],
        r"\b(sk-ant-[a-z0-9]+-[A-Za-z0-9_\-]{32,})",
    ),
    token(
        "aws-access-key",
        "AWS access key id",
        &["akia", "asia"],
        r"\b((?:AKIA|ASIA)[A-Z2-7]{16})\b",
    ),
    Rule {
        least_entropy: 4.0,
        ..token(
            "aws-secret-key",
            "AWS secret key",
            &["aws"],
            r#"(?i)aws_?-?(?:sec|secret)[a-z_\-]*["']?\s*[=:]+\s*["']?([a-z0-9/+]{40})(?:[^a-z0-9/+=]|$)"#,
        )
    },
    token(
        "azure-storage-key",
        "Azure storage key",
        &["accountkey="],
        r"(?i)AccountKey=([a-z0-9+/]{86}==)",
    ),
    token("databricks-token", "Databricks token", &["dapi"], r"\b(dapi[0-9a-f]{32})\b"),
    token(
        "digitalocean-token",
        "DigitalOcean token",
        &["dop_v1_", "doo_v1_", "dor_v1_"],
        r"\b(do[opr]_v1_[0-9a-f]{64})\b",
    ),
    token("docker-token", "Docker Hub token", &["dckr_pat_"], r"\b(dckr_pat_[A-Za-z0-9_\-]{20,})"),
    token(
        "github-fine-token",
        "GitHub fine-grained token",
        &["github_pat_"],
        r"\b(github_pat_[A-Za-z0-9_]{22,255})",
    ),
    token(
        "github-token",
        "GitHub token",
        &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
        r"\b(gh[pousr]_[A-Za-z0-9]{36,255})",
    ),
    token(
        "gitlab-token",
        "GitLab token",
        &["glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "glsoat-"],
        r"\b(gl(?:pat|dt|rt|cbt|ptt|ft|soat)-[A-Za-z0-9_\-]{20,})",
    ),
    token(
        "google-api-key",
        "Google API key",
        &["aiza"],
        r"\b(AIza[A-Za-z0-9_\-]{35})(?:[^A-Za-z0-9_\-]|$)",
    ),
    token(
        "google-oauth-secret",
        "Google OAuth client secret",
        &["gocspx-"],
        r"\b(GOCSPX-[A-Za-z0-9_\-]{28})",
    ),
    token(
        "grafana-token",
        "Grafana token",
        &["glsa_", "glc_"],
        r"\b(gl(?:sa|c)_[A-Za-z0-9+/_]{32,}=*)",
    ),
    token("hashicorp-vault-token", "Vault token", &["hvs."], r"\b(hvs\.[A-Za-z0-9_\-]{24,})"),
    token("hugging-face-token", "Hugging Face token", &["hf_"], r"\b(hf_[A-Za-z]{34})\b"),
    likely(token(
        "json-web-token",
        "JSON web token",
        &["eyj"],
        r"\b(eyJ[A-Za-z0-9_\-]{10,}\.eyJ[A-Za-z0-9_\-]{10,}\.[A-Za-z0-9_\-]{10,})",
    )),
    token("linear-key", "Linear key", &["lin_api_"], r"\b(lin_api_[A-Za-z0-9]{40})"),
    token("npm-token", "npm token", &["npm_"], r"\b(npm_[A-Za-z0-9]{36})"),
    token(
        "npm-auth",
        "npm registry credential",
        &["_authtoken", "_password", "_auth"],
        r#"(?i):?_(?:authToken|password|auth)\s*=\s*"?([a-z0-9+/=_\-]{16,})"?\s*$"#,
    ),
    token(
        "openai-key",
        "OpenAI key",
        &["sk-"],
        r"\b(sk-(?:(?:proj|svcacct|admin)-[A-Za-z0-9_\-]{40,}|[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}))",
    ),
    token("pypi-token", "PyPI token", &["pypi-age"], r"\b(pypi-AgE[A-Za-z0-9_\-]{50,})"),
    token(
        "sendgrid-key",
        "SendGrid key",
        &["sg."],
        r"\b(SG\.[A-Za-z0-9_\-]{22}\.[A-Za-z0-9_\-]{43})",
    ),
    token(
        "sentry-token",
        "Sentry token",
        &["sntrys_", "sntryu_"],
        r"\b(sntry[su]_[A-Za-z0-9+/=_\-]{40,})",
    ),
    token(
        "shopify-token",
        "Shopify token",
        &["shpat_", "shpss_", "shpca_", "shppa_"],
        r"\b(shp(?:at|ss|ca|pa)_[0-9a-fA-F]{32})\b",
    ),
    token(
        "slack-token",
        "Slack token",
        &["xox"],
        r"\b(xox[abeoprs]-(?:[0-9]+-)?[A-Za-z0-9\-]{10,})",
    ),
    token(
        "slack-webhook",
        "Slack webhook",
        &["hooks.slack.com"],
        r"hooks\.slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9+/]{30,})",
    ),
    token(
        "stripe-live-key",
        "Stripe live key",
        &["sk_live_", "rk_live_"],
        r"\b([sr]k_live_[A-Za-z0-9]{16,})",
    ),
    likely(token(
        "stripe-test-key",
        "Stripe test key",
        &["sk_test_", "rk_test_"],
        r"\b([sr]k_test_[A-Za-z0-9]{16,})",
    )),
    token(
        "stripe-webhook-secret",
        "Stripe webhook secret",
        &["whsec_"],
        r"\b(whsec_[A-Za-z0-9+/=]{24,})",
    ),
    token(
        "telegram-token",
        "Telegram bot token",
        &[":aa"],
        r"\b([0-9]{8,10}:AA[A-Za-z0-9_\-]{33})(?:[^A-Za-z0-9_\-]|$)",
    ),
    likely(token("twilio-key", "Twilio key", &["sk"], r"\b(SK[0-9a-f]{32})\b")),
    Rule {
        least_entropy: 2.5,
        ..likely(token(
            "url-password",
            "password in a URL",
            &["://"],
            r#"\b[a-zA-Z][a-zA-Z0-9+.\-]*://[^\s/:@'"<>?#]+:([^\s/@'"<>{}()$,\\]{6,})@[A-Za-z0-9\[]"#,
        ))
    },
];

/// What a name must hold for its value to be looked at, whatever its format.
pub(super) const NAMES: &[&str] = &[
    "apikey",
    "api_key",
    "api-key",
    "secret",
    "token",
    "passw",
    "pwd",
    "credential",
    "private_key",
    "privatekey",
    "access_key",
    "accesskey",
    "auth_key",
    "authkey",
    "encryption_key",
    "signing_key",
    "client_key",
];

/// The name and the quoted value of an assignment, in the notations of most languages. Group one is the
/// value, group two its name.
pub(super) const ASSIGNMENT: &str = r#"(?i)\b([a-z0-9_.\-]{0,40}(?:api[_\-]?key|secret|token|passw(?:or)?d|pwd|credentials?|private_?key|access_?key|auth_?key|encryption_key|signing_key|client_key)[a-z0-9_]{0,20})["'\]]{0,2}\s*(?:=>|:=|==?|:)\s*[a-z]?["'`]([^"'`\s]{8,256})["'`]"#;

/// The same in files of settings, where values need no quotes.
pub(super) const SETTING: &str = r#"(?i)^\s*(?:export\s+|-\s+)?([a-z0-9_.\-]{0,40}(?:api[_\-]?key|secret|token|passw(?:or)?d|pwd|credentials?|private_?key|access_?key|auth_?key|encryption_key|signing_key|client_key)[a-z0-9_]{0,20})\s*[=:]\s*["']?([^"'\s#;,]{8,256})["']?\s*(?:[#;].*)?$"#;

/// Opens a private key in PEM.
pub(super) const PEM_KEY: &str = r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----";
