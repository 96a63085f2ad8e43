//! The one table of configuration variables: every name the service reads, with the default it has as text. What is
//! read anywhere else in this module is read through a [`Key`] of this table.

/// A variable of the environment.
#[derive(Debug)]
pub struct Key {
    /// The name, in upper case.
    pub name: &'static str,
    /// What counts when the variable is unset; empty where there is none or where it follows from something else.
    pub default: &'static str,
}

macro_rules! keys {
    ($($ident:ident = $name:literal, $default:literal;)+) => {
        $(pub(super) const $ident: &Key = &Key { name: $name, default: $default };)+
        /// Every variable that has an effect in this version, in the order of the documentation.
        pub const KEYS: &[&Key] = &[$($ident),+];
    };
}

keys! {
    ENVIRONMENT = "BACKEND_ENVIRONMENT", "development";
    HOST = "BACKEND_HOST", "127.0.0.1";
    PORT = "BACKEND_PORT", "8000";
    DATABASE_URL = "DATABASE_URL", "";
    DB_HOST = "BACKEND_DB_HOST", "localhost";
    DB_PORT = "BACKEND_DB_PORT", "5432";
    DB_NAME = "BACKEND_DB_NAME", "sme_pulse_oltp";
    DB_USER = "BACKEND_DB_USER", "postgres";
    DB_PASSWORD = "BACKEND_DB_PASSWORD", "postgres";
    POOL_SIZE = "BACKEND_POOL_SIZE", "20";
    MAX_OVERFLOW = "BACKEND_MAX_OVERFLOW", "10";
    AUTO_MIGRATE = "BACKEND_AUTO_MIGRATE", "";
    SECRET_KEY = "BACKEND_SECRET_KEY", "";
    ENCRYPTION_KEY = "BACKEND_ENCRYPTION_KEY", "";
    ALGORITHM = "BACKEND_ALGORITHM", "HS256";
    KEY_ROTATION_DAYS = "BACKEND_KEY_ROTATION_DAYS", "90";
    ACCESS_MINUTES = "BACKEND_ACCESS_TOKEN_EXPIRE_MINUTES", "30";
    REFRESH_IDLE_DAYS = "BACKEND_REFRESH_IDLE_DAYS", "14";
    REFRESH_MAX_DAYS = "BACKEND_REFRESH_MAX_DAYS", "90";
    ISSUER = "BACKEND_JWT_ISSUER", "sme-pulse";
    AUDIENCE = "BACKEND_JWT_AUDIENCE", "sme-pulse-api";
    LEEWAY = "BACKEND_JWT_LEEWAY_SECONDS", "5";
    ALLOWED_ORIGINS = "BACKEND_ALLOWED_ORIGINS", "http://localhost:3000,http://localhost:3001";
    MAX_BODY_BYTES = "BACKEND_MAX_BODY_BYTES", "1048576";
    REQUEST_TIMEOUT = "BACKEND_REQUEST_TIMEOUT_SECONDS", "30";
    DRAIN_SECONDS = "BACKEND_DRAIN_SECONDS", "0";
    DOCS_ENABLED = "BACKEND_DOCS_ENABLED", "true";
    SIGNUP_ENABLED = "BACKEND_SIGNUP_ENABLED", "true";
    CONSOLE_ENABLED = "BACKEND_CONSOLE_ENABLED", "true";
    RATE_LIMIT_ENABLED = "BACKEND_RATE_LIMIT_ENABLED", "true";
    RATE_LIMIT_REQUESTS = "BACKEND_RATE_LIMIT_REQUESTS", "5";
    RATE_LIMIT_WINDOW = "BACKEND_RATE_LIMIT_WINDOW", "60";
    REDIS_URL = "REDIS_URL", "";
    TRUSTED_PROXIES = "BACKEND_TRUSTED_PROXIES", "";
    PASSWORD_MIN_LENGTH = "BACKEND_PASSWORD_MIN_LENGTH", "8";
    PASSWORD_HASHER = "BACKEND_PASSWORD_HASHER", "bcrypt";
    BCRYPT_COST = "BACKEND_BCRYPT_COST", "12";
    HASH_CONCURRENCY = "BACKEND_HASH_CONCURRENCY", "";
    SEED_ADMIN_PASSWORD = "BACKEND_SEED_ADMIN_PASSWORD", "123456";
    API_URL = "BACKEND_API_URL", "";
    PUBLIC_URL = "BACKEND_PUBLIC_URL", "http://localhost:3000";
    SMTP_URL = "BACKEND_SMTP_URL", "";
    MAIL_DIR = "BACKEND_MAIL_DIR", "data/outbox";
    MAIL_FROM = "BACKEND_MAIL_FROM", "";
    METRICS_ADDR = "BACKEND_METRICS_ADDR", "";
    OTLP_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT", "";
    OTLP_HEADERS = "OTEL_EXPORTER_OTLP_HEADERS", "";
    SERVICE_NAME = "OTEL_SERVICE_NAME", "sme-pulse";
    RESOURCE_ATTRIBUTES = "OTEL_RESOURCE_ATTRIBUTES", "";
    TRACES_EXPORTER = "OTEL_TRACES_EXPORTER", "otlp";
    TRACES_SAMPLER = "OTEL_TRACES_SAMPLER", "parentbased_always_on";
    TRACES_SAMPLER_ARG = "OTEL_TRACES_SAMPLER_ARG", "1";
    METRICS_EXPORTER = "OTEL_METRICS_EXPORTER", "none";
    METRIC_EXPORT_INTERVAL = "OTEL_METRIC_EXPORT_INTERVAL", "60000";
    LOG_LEVEL = "BACKEND_LOG_LEVEL", "INFO";
    LOG_FORMAT = "BACKEND_LOG_FORMAT", "json";
    LOG_FILE = "BACKEND_LOG_FILE", "logs/app.log";
    DEBUG = "BACKEND_DEBUG", "false";
}

/// The five parts a PostgreSQL address can be given in, instead of `DATABASE_URL`.
pub(super) const DB_PARTS: [&Key; 5] = [DB_HOST, DB_PORT, DB_NAME, DB_USER, DB_PASSWORD];
