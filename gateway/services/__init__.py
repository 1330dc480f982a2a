"""One file per service; siblings never import each other, `app` hands them callables."""
