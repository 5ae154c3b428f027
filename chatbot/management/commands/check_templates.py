"""`manage.py check_templates`: every template compiles."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.template import TemplateSyntaxError, engines
from django.template.exceptions import TemplateDoesNotExist


class Command(BaseCommand):
    help = "Compile every template of the project."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        shell = settings.BASE_DIR / "templates" / "admin_shell"
        faults = []
        paths = [path for path in sorted((settings.BASE_DIR / "templates").rglob("*")) if path.is_file()]
        for path in paths:
            engine, base = (
                ("django", shell) if shell in path.parents else ("jinja2", settings.BASE_DIR / "templates")
            )
            try:
                engines[engine].get_template(str(path.relative_to(base)))
            except (TemplateSyntaxError, TemplateDoesNotExist) as error:
                faults.append(f"{path.relative_to(settings.BASE_DIR)}: {error}")
        if faults:
            raise CommandError("\n".join(faults))
        self.stdout.write(f"{len(paths)} templates compile.")
