# Makes the tenant of the pooler, unless it exists.
{:ok, _} = Application.ensure_all_started(:supavisor)

tenant = %{
  "external_id" => "main",
  "db_host" => System.get_env("POSTGRES_HOST"),
  "db_port" => System.get_env("POSTGRES_PORT"),
  "db_database" => "postgres",
  "require_user" => false,
  "auth_query" => "SELECT * FROM pgbouncer.get_auth($1)",
  "default_max_clients" => 100,
  "default_pool_size" => 20,
  "users" => [
    %{
      "db_user" => "pgbouncer",
      "db_password" => System.get_env("POSTGRES_PASSWORD"),
      "mode_type" => "transaction",
      "pool_size" => 20,
      "is_manager" => true
    }
  ]
}

unless Supavisor.Tenants.get_tenant_by_external_id("main") do
  {:ok, _} = Supavisor.Tenants.create_tenant(tenant)
end
