"""The two admin sites: the operators' on the platform's host, the staff's on each tenant's."""

from __future__ import annotations

from unfold.sites import UnfoldAdminSite


class OperatorSite(UnfoldAdminSite):  # type: ignore[misc]
    settings_name = "UNFOLD_OPERATORS"
    site_header = site_title = "Switchboard operators"
    index_title = "Home"
    index_template = "admin/operators_index.html"


class StaffSite(UnfoldAdminSite):  # type: ignore[misc]
    site_header = site_title = "Switchboard"
    index_title = "Home"
    index_template = "admin/staff_index.html"


operator_site = OperatorSite(name="operators")
staff_site = StaffSite(name="admin")
