"""The model of a file that a service or task finds in its container."""

from pydantic import Field

from mill_api.constraints import MAX_FILE_BYTES
from mill_api.fields import ApiModel, FileMode, FilePath, SecretName


class File(ApiModel):
    """A file in the container, which hides the image's own at that path. The program cannot write to it."""

    path: FilePath = Field(description="Absolute path of the file in the container.")
    content: str | None = Field(
        None,
        max_length=MAX_FILE_BYTES,
        description="Text of the file. References to services as in args are replaced by their values; any other ${ is "
        "text. All files of a service or task together have at most 64 KiB.",
    )
    secret: SecretName | None = Field(
        None, description="Name of the secret whose value is the text of the file. Required unless there is a content."
    )
    mode: FileMode | None = Field(
        None, description="Permissions in four octal digits, such as 0755. If they are left out, all may read the file."
    )
