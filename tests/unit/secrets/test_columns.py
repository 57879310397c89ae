"""Secrets in tables: rows of CSV files, and what SQL inserts."""

from __future__ import annotations

import pytest

from envlock.secrets.settings import redact_settings

S = "Hunter2Zq7vK2"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/srv/a.sql", "INSERT INTO users (name, password) VALUES ('bob', '{S}');\n"),
        ("/srv/a.sql", "insert into `u` (id,`pass`,x) values (1,'{S}','a'), (2,'{S}',NULL);\n"),
        ("/srv/a.sql", "INSERT INTO t (a, api_key) VALUES ('it''s, (x)', N'{S}');\n"),
        ("/srv/a.csv", "user,password\nbob,{S}\neve,{S}\n"),
        ("/srv/a.csv", 'user;"api key"\r\nbob;"{S}"\r\n'),
        ("/srv/a.tsv", "token\tuser\n{S}\tbob\n"),
    ],
)
def test_a_secret_column(path: str, text: str) -> None:
    found = redact_settings(path, text.replace("{S}", S)).text
    assert found == text.replace("{S}", "***").replace("N'***'", "N'***'")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/srv/a.sql", "INSERT INTO t (name, password) VALUES ('bob', NULL);\n"),
        ("/srv/a.sql", "INSERT INTO t (name, password) VALUES (?, ?);\n"),
        ("/srv/a.sql", "INSERT INTO t (token_count, name) VALUES (17, 'x1y2z3');\n"),
        ("/srv/a.csv", "user,mail\nbob,bob@example.org\n"),
        ("/srv/a.csv", "id,password_changed\n1,2024-01-01\n"),
        ("/srv/a.csv", "password\n\n"),
    ],
)
def test_other_columns_are_kept(path: str, text: str) -> None:
    assert redact_settings(path, text).text == text
