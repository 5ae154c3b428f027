"""Conversations and help articles in the admin, and who may log in."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from chatbot import knowledge
from chatbot.models import Article, Conversation, Passage

LABELS = {"waiting": "warning", "staff": "info", "bot": "success"}

admin.site.unregister([User, Group])


@admin.register(Conversation)
class ConversationAdmin(ModelAdmin):  # type: ignore[misc]
    """A list to filter; a row opens the desk's own page."""

    list_display = ["__str__", "label", "customer", "assignee", "last_seq", "created_at", "updated_at"]
    list_filter = ["state", "proof", "assignee"]
    list_per_page = 50
    list_select_related = ["customer", "assignee"]
    show_full_result_count = False
    search_fields = ["customer__email", "customer__first_name", "customer__last_name"]
    search_help_text = "Customer's name or email"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Conversation | None = None) -> bool:
        return False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: object = None
    ) -> HttpResponse:
        return redirect("desk-conversation", pk=object_id)

    @display(description="state", ordering="state", label=LABELS)  # type: ignore[untyped-decorator]
    def label(self, conversation: Conversation) -> tuple[str, str]:
        return conversation.state, conversation.get_state_display()


class PassageInline(TabularInline):  # type: ignore[misc]
    """What the assistant may quote; cut from the body, so only to be read here."""

    model = Passage
    fields = readonly_fields = ["position", "text"]
    extra = 0
    can_delete = False
    hide_title = True
    verbose_name_plural = "passages the assistant quotes"

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Passage]:
        return super().get_queryset(request).defer("embedding")  # type: ignore[no-any-return]


@admin.register(Article)
class ArticleAdmin(ModelAdmin):  # type: ignore[misc]
    list_display = ["title", "slug", "intents", "updated_at"]
    search_fields = ["title", "body"]
    search_help_text = "Title or text"
    prepopulated_fields = {"slug": ["title"]}
    readonly_fields = ["updated_at"]
    inlines = [PassageInline]

    def save_model(self, request: HttpRequest, obj: Article, form: ModelForm[Article], change: bool) -> None:
        """An edited article is quoted again once the sweep, which has the encoder, has cut it anew."""
        super().save_model(request, obj, form, change)
        knowledge.forget(obj)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):  # type: ignore[misc, type-arg]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "first_name", "last_name", "email", "is_staff", "is_superuser", "last_login"]
    list_filter = ["is_staff", "is_superuser", "is_active"]
    fieldsets = [
        (None, {"fields": ["username", "password", ("first_name", "last_name"), "email"]}),
        ("May do", {"fields": ["is_active", "is_staff", "is_superuser", "user_permissions"]}),
        ("Days", {"fields": [("last_login", "date_joined")]}),
    ]
    readonly_fields = ["last_login", "date_joined"]
