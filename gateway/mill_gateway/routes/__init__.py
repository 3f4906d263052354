"""The routes, a file for each subject. A new route goes where its subject is; a new subject into `app.ROUTERS`."""
