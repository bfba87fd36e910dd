"""A configuration that is written is read again as it was, whatever a name consists of."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tillit.config import Config, read_config, write_config
from tillit.model import NAME, PARTY_ID

# Everything that UTF-8 can hold: quotes, backslashes, line ends, control characters, right-to-left.
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
# No link and no dots, so that a path is its own resolution.
PATH = st.lists(
    st.text(
        st.characters(exclude_categories=("Cs",), exclude_characters="/\0#"), min_size=1
    ).filter(lambda part: part not in (".", "..")),
    min_size=1,
    max_size=3,
).map(lambda parts: "/nowhere/" + "/".join(parts))
MAILBOX = st.fixed_dictionaries(
    {},
    optional={"user": TEXT, "known_hosts": PATH, "key_file": PATH, "password_file": PATH},
)
CONFIGS = st.builds(
    Config,
    party_id=st.from_regex(PARTY_ID, fullmatch=True),
    party_name=TEXT,
    mailbox_url=TEXT,
    mailbox=MAILBOX,
    database_url_file=st.none() | PATH.map(Path),
    lake_data=st.none() | PATH | st.just("s3://bucket/lake"),
    memory_limit=TEXT,
    contracts=st.none() | PATH.map(Path),
    transforms=st.none() | PATH.map(Path),
    sources=st.dictionaries(
        st.from_regex(NAME, fullmatch=True), PATH | PATH.map(lambda p: p + "#main.t"), max_size=3
    ),
)


@settings(deadline=None, max_examples=40)
@given(CONFIGS)
def test_written_and_read_again(config: Config) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_config(Path(folder), config)
        assert read_config(Path(folder)) == config
