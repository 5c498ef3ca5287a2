"""How people come in, in a real browser: invited, with a second factor, from a provider; and how guessing ends."""

from __future__ import annotations

import re
import time
import uuid

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Windows
from tests.e2e.test_screens import assert_kind_to_everybody
from tests.oidc_provider import Provider
from tests.platform_process import Company
from tests.tenants.staff.totp import code_of

PASSWORD = "a very quiet bay"


def invited(windows: Windows, company: Company, role: str) -> tuple[Page, str]:
    """Somebody new whom an owner has invited, in a window of their own; and their address."""
    email = f"ana-{uuid.uuid4().hex[:6]}@example.com"
    owner = windows.open(company)
    owner.goto(f"{company.url}/admin/staff/user/")
    owner.get_by_role("link", name="Invite").click()
    owner.get_by_label("E-mail address").fill(email)
    owner.get_by_label("Role").select_option(label=role)
    owner.get_by_role("button", name="Send the invitation").click()
    link = owner.locator("[data-link]").inner_text()
    page = windows.open()
    page.goto(link)
    expect(page.get_by_text(email)).to_be_visible()
    page.get_by_label("First name").fill("Ana")
    page.get_by_label("Last name").fill("Lima")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Come in").click()
    return page, email


def sign_in_as(page: Page, company: Company, name: str, password: str = PASSWORD) -> None:
    page.goto(f"{company.url}/admin/login/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_load_state()


def test_an_invited_person_comes_in_and_sees_what_their_role_may(windows: Windows, hotel: Company) -> None:
    page, email = invited(windows, hotel, "Viewer")

    expect(page).to_have_title(re.compile("Home"))
    expect(page.get_by_role("link", name="Conversations").first).to_be_visible()
    expect(page.locator("a[href='/admin/staff/user/']")).to_have_count(0)
    expect(page.get_by_role("link", name="Upload")).to_have_count(0)

    owner = windows.open(hotel)
    owner.goto(f"{hotel.url}/admin/staff/user/?q={email}")
    expect(owner.get_by_role("row", name=re.compile(email))).to_contain_text("Viewer")


def test_guessing_ends(windows: Windows, hotel: Company) -> None:
    page = windows.open()
    name = f"nobody-{uuid.uuid4().hex[:6]}"

    for _ in range(8):
        sign_in_as(page, hotel, name, "wrong")
        expect(page.get_by_text("are not correct")).to_be_visible()
    sign_in_as(page, hotel, name, "wrong")

    expect(page.get_by_text("Too many attempts")).to_be_visible()
    windows.forgive("429")


def test_a_second_factor_is_set_up_and_asked_for(windows: Windows, hotel: Company) -> None:
    page, email = invited(windows, hotel, "Builder")
    page.goto(f"{hotel.url}/admin/second-factor/")
    page.get_by_role("link", name="Set it up").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    secret = page.locator("[data-key]").inner_text()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    page.get_by_label("Code").fill(code_of(secret))
    page.get_by_role("button", name="Set up").click()
    codes = page.locator("[data-codes] code").all_inner_texts()
    assert len(codes) == 10

    page = windows.open()
    sign_in_as(page, hotel, email)
    expect(page).to_have_url(re.compile("second-factor"))
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Incorrect code")).to_be_visible()
    page.get_by_label("Code").fill(code_of(secret, at=time.time() + 30))
    page.get_by_role("button", name="Continue").click()
    expect(page).to_have_title(re.compile("Home"))

    page = windows.open()
    sign_in_as(page, hotel, email)
    page.get_by_label("Code").fill(codes[0])
    page.get_by_role("button", name="Continue").click()
    expect(page).to_have_title(re.compile("Home"))


def test_people_of_a_provider_come_in_by_its_button(windows: Windows, hotel: Company, identities: Provider) -> None:
    name = f"Example ID {uuid.uuid4().hex[:6]}"
    owner = windows.open(hotel)
    owner.goto(f"{hotel.url}/admin/staff/ssoconnection/add/")
    owner.get_by_label("Name").fill(name)
    owner.get_by_label("Issuer").fill(identities.issuer)
    owner.get_by_label("Client ID").fill("switchboard")
    owner.get_by_label("Client secret").fill("very secret")
    owner.get_by_label("Email domains").fill("example.org")
    owner.get_by_role("button", name="Save", exact=True).click()
    expect(owner.get_by_role("link", name=name).first).to_be_visible()
    sub = f"zoe-{uuid.uuid4().hex[:6]}"
    identities.person(sub, email=f"{sub}@example.org", email_verified=True, given_name="Zoe")

    page = windows.open()
    page.goto(f"{hotel.url}/admin/login/")
    page.get_by_role("button", name=f"Sign in with {name}").click()
    page.locator("input[name=sub]").fill(sub)
    page.get_by_role("button", name="Authorize", exact=True).click()

    expect(page).to_have_title(re.compile("Home"))
    windows.excuse(rf"jsdelivr|{identities.host_and_port}/favicon")  # the provider's own page, which is not ours
    login = windows.open()
    login.goto(f"{hotel.url}/admin/login/")
    assert_kind_to_everybody(login, "login-sso")
