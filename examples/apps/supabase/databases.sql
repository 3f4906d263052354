-- The database of analytics and pooler, beside that of the applications.
CREATE DATABASE _supabase WITH OWNER postgres;
\connect _supabase
CREATE SCHEMA IF NOT EXISTS _analytics AUTHORIZATION postgres;
CREATE SCHEMA IF NOT EXISTS _supavisor AUTHORIZATION postgres;
