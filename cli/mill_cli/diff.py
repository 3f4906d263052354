"""`mill diff`: what a deploy of a file would change."""

from mill_cli.connection.client import Gateway
from mill_cli.connection.failures import Refused
from mill_cli.consent import Consent
from mill_cli.deploy_request import deploy_request, with_places
from mill_cli.errors import Exit
from mill_cli.files import File
from mill_cli.options import Options
from mill_cli.output import differences, screen
from mill_cli.plans import request_plan


def diff(options: Options, file: File, *, force: bool, exit_code: bool) -> Exit:
    """Print the changes. With `exit_code`, changes are a failure. Raise `CliError`."""
    # What a deploy would be refused for is what a comparison is made to show.
    shown = Consent(force=force, allow_empty=True, replace_all=True, system=True)
    request = deploy_request(options, file, shown)
    with Gateway(options) as gateway:
        try:
            planned = request_plan(gateway, request)
        except Refused as error:
            raise with_places(error, file) from error
    screen.out_json(planned) if options.as_json else screen.out(differences.show(planned, whole=not options.quiet))
    return Exit.FAILED if exit_code and planned["changed"] else Exit.SUCCESS
