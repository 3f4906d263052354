// Answers all functions, until there are some.
Deno.serve(() => new Response("no function here\n", { status: 404 }));
