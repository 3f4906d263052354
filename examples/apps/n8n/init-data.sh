#!/bin/bash
# Gives n8n a user of its own, which owns nothing but the database of n8n.
set -euo pipefail

psql --set=ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
  --set=name="$POSTGRES_NON_ROOT_USER" --set=password="$POSTGRES_NON_ROOT_PASSWORD" --set=database="$POSTGRES_DB" <<-'SQL'
	CREATE USER :"name" WITH PASSWORD :'password';
	ALTER DATABASE :"database" OWNER TO :"name";
	GRANT CREATE ON SCHEMA public TO :"name";
SQL
