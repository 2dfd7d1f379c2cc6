"""`manage.py collect_messages`: bring the translation catalogues up to date and say what lacks a translation."""

from django.core.management.base import BaseCommand

from webapp.messages import LOCALES, update


class Command(BaseCommand):
    help = "Collect translatable texts from templates, code and schemas into webapp/locale."

    def handle(self, *args: object, **options: object) -> None:
        for locale in LOCALES:
            catalog = update(locale)
            missing = [message.id for message in catalog if message.id and not message.string]
            self.stdout.write(f"{locale}: {len(catalog)} texts, {len(missing)} without translation")
            for text in missing:
                self.stdout.write(f"  {text}")
